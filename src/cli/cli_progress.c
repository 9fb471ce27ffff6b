#include "cli_progress.h"

#include <string.h>
#include <unistd.h>

enum {
    bar_cells = 24,
    line_bytes_max = 256,
    bar_line_chars = 72, /* a line that wraps could not be redrawn */
    terminal_interval_us = 100 * 1000,
    plain_interval_us = 5 * 1000 * 1000,
};

static int64_t progress_now_us(const struct cli_progress *p)
{
    struct env *env = (struct env *)&p->cli->env;
    return env->monotonic_us(env);
}

static void draw_bar(const struct cli_progress *p, const char *what, uint64_t done, uint64_t total)
{
    char bar[bar_cells + 1];
    uint64_t filled = total > 0 ? (done < total ? done : total) * bar_cells / total : 0;
    for (uint64_t i = 0; i < bar_cells; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[bar_cells] = '\0';
    double seconds = (double)(progress_now_us(p) - p->start_us) / 1e6;
    double rate = seconds > 0 ? (double)done / seconds : 0.0;
    char line[line_bytes_max];
    if (cli_terminal_columns(STDERR_FILENO) < bar_line_chars) {
        snprintf(line, sizeof(line), "%s %llu/%llu", what, (unsigned long long)done,
                 (unsigned long long)total);
    } else {
        snprintf(line, sizeof(line), "%-16s [%s] %llu/%llu  %.0f/s", what, bar,
                 (unsigned long long)done, (unsigned long long)total, rate);
    }
    terminal_draw_line(p->cli->err_terminal, span_from_cstr(line));
}

static void draw_count(const struct cli_progress *p, const char *what, uint64_t done)
{
    char line[line_bytes_max];
    snprintf(line, sizeof(line), "%-12s %llu", what, (unsigned long long)done);
    terminal_draw_line(p->cli->err_terminal, span_from_cstr(line));
}

static void draw_plain(const struct cli_progress *p, const char *what, uint64_t done,
                       uint64_t total)
{
    if (total > 0) {
        fprintf(p->cli->err, "%s: %llu of %llu\n", what, (unsigned long long)done,
                (unsigned long long)total);
    } else {
        fprintf(p->cli->err, "%s: %llu\n", what, (unsigned long long)done);
    }
}

static void progress_update(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct cli_progress *p = ctx;
    int64_t now = progress_now_us(p);
    bool another = p->drawn_what == NULL || strcmp(p->drawn_what, what) != 0;
    if (another) {
        cli_progress_end(p);
        p->start_us = now;
        p->drawn_what = what;
        p->drawn_us = p->cli->err_is_terminal ? 0 : now;
    }
    bool complete = total > 0 && done >= total;
    int64_t interval = p->cli->err_is_terminal ? terminal_interval_us : plain_interval_us;
    if (now - p->drawn_us < interval && !(complete && p->cli->err_is_terminal)) {
        return;
    }
    p->drawn_us = now;
    if (p->cli->err_is_terminal && total > 0) {
        draw_bar(p, what, done, total);
        p->line_open = true;
    } else if (p->cli->err_is_terminal) {
        draw_count(p, what, done);
        p->line_open = true;
    } else {
        draw_plain(p, what, done, total);
    }
}

void cli_progress_init(struct cli_progress *p, const struct cli *cli)
{
    *p = (struct cli_progress){
        .progress = {.update = progress_update, .should_stop = cli_should_stop, .ctx = p},
        .cli = cli,
    };
    cli_watch_signals();
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->line_open) {
        fputc('\n', p->cli->err);
        p->line_open = false;
    }
}
