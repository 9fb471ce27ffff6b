# pinpipe: one non-recursive Makefile; variants are directories under build/. `make help` lists the targets.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

VARIANT ?= release
BUILD   ?= build/$(VARIANT)
CC      := $(if $(filter default,$(origin CC)),cc,$(CC))
AR      ?= ar
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man
Q := $(if $(V),,@)
# The targets that people type use every core, unless they chose a -j themselves.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))

VERSION := $(shell cat VERSION)

# --- libraries -------------------------------------------------------------------------------
PKGS      := sqlite3 libuv libcurl libcjson libpcre2-8 yaml-0.1 zlib expat libcrypto
PKG_FLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# libcurl and libcrypto are loaded on first use (src/base), so they are compiled against, not linked.
PKG_LIBS  := $(shell pkg-config --libs sqlite3 libuv libcjson libpcre2-8 zlib expat 2>/dev/null) -lm -ldl -lpthread
CMOCKA_LIBS = $(shell pkg-config --libs cmocka 2>/dev/null)

# llhttp: the system's library where there is one, else the C sources that Debian's node-llhttp ships
# (.ci/deps puts them below /usr/local without the package, which would bring all of Node.js).
ifeq ($(shell pkg-config --exists libllhttp 2>/dev/null && echo yes),yes)
LLHTTP_FLAGS := $(shell pkg-config --cflags libllhttp)
LLHTTP_LIBS  := $(shell pkg-config --libs libllhttp)
LLHTTP_SRC   :=
else
LLHTTP_DIR   ?= $(patsubst %/llhttp.c,%,$(firstword $(wildcard /usr/share/llhttp/llhttp.c /usr/local/share/llhttp/llhttp.c)))
LLHTTP_FLAGS := -I$(dir $(LLHTTP_DIR))include/llhttp
LLHTTP_LIBS  :=
LLHTTP_SRC   := $(wildcard $(LLHTTP_DIR)/api.c $(LLHTTP_DIR)/http.c $(LLHTTP_DIR)/llhttp.c)
endif

# --- flags -----------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
            -Wpointer-arith -Wformat=2 -Wundef $(if $(WERROR),-Werror)
PP_CFLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_DARWIN_C_SOURCE -g -fno-common \
             -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)
PP_LDFLAGS :=
ifeq ($(VARIANT),release)
# What makes a mistake in memory harder to use, as far as this compiler and linker take it: all are tried at once, and where that
# fails, one by one. tests/lint/hardened.sh looks whether the program has them.
HARDENING_WANTED := -fPIE -fstack-clash-protection -fcf-protection=return -ftrivial-auto-var-init=zero -pie -Wl,-z,relro,-z,now
hardening_try = $(shell out=$$(mktemp) && { echo 'int main(void) { return 0; }' | $(CC) -Werror -x c - $(1) -o "$$out" 2>/dev/null && echo '$(1)'; rm -f "$$out"; })
HARDENING  := $(or $(call hardening_try,$(HARDENING_WANTED)),$(foreach flag,$(HARDENING_WANTED),$(call hardening_try,$(flag))))
# 79 KiB of relocations in one: less to read at each start, less to hold. Linkers know the flag whose programs their C library
# then refuses, so a program is run.
PACKED     := $(shell out=$$(mktemp) && { echo 'static int n; int *volatile p = &n; int main(void) { return *p; }' | $(CC) $(LDFLAGS) -fPIE -pie -Wl,-z,pack-relative-relocs -x c - -o "$$out" 2>/dev/null && "$$out" 2>/dev/null && echo -Wl,-z,pack-relative-relocs; rm -f "$$out"; })
PP_CFLAGS  += -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(filter -f%,$(HARDENING))
PP_LDFLAGS += $(filter-out -f%,$(HARDENING)) $(PACKED)
else ifeq ($(VARIANT),asan)
PP_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
PP_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
PP_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=thread
PP_LDFLAGS += -fsanitize=thread
else ifeq ($(VARIANT),cov)
PP_CFLAGS += -O0 --coverage -DPINPIPE_COVERAGE
PP_LDFLAGS += --coverage
else ifeq ($(VARIANT),cross)
# For another machine than this one, of whose libraries nothing is installed: their headers are the same everywhere, and what
# a test really calls of them is in tests/cross (see check-codecs).
PP_CFLAGS  += -O2 -ffunction-sections -fdata-sections
PP_LDFLAGS += -static -Wl,--gc-sections -Wl,--unresolved-symbols=ignore-all
PKG_FLAGS  := -Itests/cross -idirafter /usr/include -idirafter /usr/include/$(shell cc -print-multiarch)
PKG_LIBS   := -lm -lpthread
CMOCKA_LIBS =
else ifeq ($(VARIANT),fuzz)
PP_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -DPINPIPE_BUG_ABORTS
PP_LDFLAGS += -fsanitize=address,undefined
else
$(error VARIANT is release, asan, tsan, cov, cross or fuzz, not "$(VARIANT)")
endif
BANNED := -include src/base/banned.h
# What one file needs beyond POSIX: fopencookie, which glibc and musl declare to GNU programs alone.
FLAGS_OF_terminal := -D_GNU_SOURCE

# Who may see whom: each room is compiled with the -I of those that rooms.mk lets it see, and no others.
include rooms.mk
ROOMS := $(patsubst SEES_%,%,$(filter SEES_%,$(.VARIABLES)))
room_flags = $(patsubst %,-I%,$(1) $(filter-out llhttp,$(SEES_$(1)))) $(if $(filter llhttp,$(SEES_$(1))),$(LLHTTP_FLAGS))
# Tests see everything; tests/lint/rooms.sh keeps a room's internals to the tests beside it.
INC_tests := -Iinclude $(patsubst %,-I%,$(sort $(ROOMS))) $(patsubst %/,-I%,$(sort $(wildcard tests/support/*/))) $(LLHTTP_FLAGS)

# --- sources ---------------------------------------------------------------------------------
.PHONY: room-flags
room-flags: # a line a room, for lint: its name, then its -I
	@printf '%s\n' $(foreach room,$(sort $(ROOMS)),'$(room) $(call room_flags,$(room))') 'include/pinpipe -Iinclude'

sources       = $(sort $(foreach room,$(1),$(wildcard $(room)/*.c)))
SRC_base     := $(call sources,src/base src/aws)
SRC_pipeline := $(call sources,$(filter src/pipeline/%,$(ROOMS)))
SRC_cli      := $(call sources,src/watch src/cli)
SRC_mock     := $(call sources,$(filter mock_server mock_server/%,$(ROOMS)))
DATA_FILES   := $(sort $(wildcard data/schema/*.sql data/queries/*.sql data/vocab/*.txt))
SRC_unit     := $(sort $(wildcard tests/unit/*/test_*.c))
SRC_support  := $(sort $(wildcard tests/support/*/*.c))
SRC_fuzz     := $(sort $(wildcard tests/fuzz/fuzz_*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
OBJ_base     := $(call obj,$(SRC_base)) $(patsubst %,$(BUILD)/obj/gen/%.o,embedded crc_tables version)
OBJ_pipeline := $(call obj,$(SRC_pipeline))
OBJ_cli      := $(call obj,$(SRC_cli))
OBJ_mock     := $(call obj,$(SRC_mock)) $(patsubst $(LLHTTP_DIR)/%.c,$(BUILD)/obj/llhttp/%.o,$(LLHTTP_SRC))
OBJ_support  := $(call obj,$(SRC_support))

LIB_base     := $(BUILD)/libbase.a
LIB_pipeline := $(BUILD)/libpipeline.a
LIB_mock     := $(BUILD)/libmock.a
LIB_cli      := $(BUILD)/libcli.a
# The mock reads rds.db as the pipeline does (rooms.mk), so the pipeline is linked behind it.
LIBS_all     := $(LIB_cli) $(LIB_mock) $(LIB_pipeline) $(LIB_base)
MAIN         := $(BUILD)/obj/src/cli/main.o
PROGRAM      := $(BUILD)/pinpipe
UNIT_TESTS   := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(SRC_unit)))

# --- build -----------------------------------------------------------------------------------
.PHONY: all
all: $(PROGRAM) ## build build/<variant>/pinpipe

# Rewritten only when the flags change, so a changed flag rebuilds and an unchanged one does not.
FLAGS_TEXT = $(CC) $(PP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(PKG_FLAGS) $(LLHTTP_FLAGS) $(PP_LDFLAGS) $(LDFLAGS) $(PKG_LIBS) \
             $(foreach room,$(sort $(ROOMS)),$(room): $(SEES_$(room));)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(FLAGS_TEXT)' > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

COMPILE = $(Q)mkdir -p $(@D); $(if $(V),,echo "  CC   $<";) $(CC) $(PP_CFLAGS) $(PKG_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP

room_of = $(patsubst %/,%,$(dir $(1)))
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(COMPILE) $(FLAGS_OF_$(basename $(notdir $@))) $(BANNED) $(call room_flags,$(call room_of,$<)) -c $< -o $@
$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags
	$(COMPILE) $(INC_tests) -c $< -o $@
$(BUILD)/obj/llhttp/%.o: $(LLHTTP_DIR)/%.c $(BUILD)/flags
	$(Q)mkdir -p $(@D); $(CC) -std=c11 -O2 -w -DLLHTTP_STRICT_MODE=1 $(filter -fsanitize% --coverage,$(PP_CFLAGS)) $(CFLAGS) $(LLHTTP_FLAGS) -c $< -o $@

$(BUILD)/gen/embedded.c: src/base/embed.awk $(DATA_FILES) $(BUILD)/datalist
	$(Q)mkdir -p $(@D); awk -f src/base/embed.awk $(DATA_FILES) > $@
# A file added to or removed from data/ regenerates it too.
$(BUILD)/datalist: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(DATA_FILES)' > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/gen/crc_tables.c: src/base/crc_tables.awk
	$(Q)mkdir -p $(@D); awk -f $< > $@
$(BUILD)/gen/version.c: VERSION
	$(Q)mkdir -p $(@D); printf '#include "version.h"\n\nconst char pinpipe_version[] = "%s";\n' '$(VERSION)' > $@
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(COMPILE) $(call room_flags,src/base) -c $< -o $@

# A file that came, went or changed rooms makes its archive anew, whatever its date.
OBJECTS_TEXT = $(OBJ_base) $(OBJ_pipeline) $(OBJ_cli) $(OBJ_mock)
$(BUILD)/objects: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(OBJECTS_TEXT)' > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(LIBS_all): $(BUILD)/objects
define archive
	$(Q)mkdir -p $(@D); rm -f $@; $(AR) rcsD $@ $(filter %.o,$^)
endef
$(LIB_base): $(OBJ_base)
	$(archive)
$(LIB_cli): $(filter-out $(MAIN),$(OBJ_cli))
	$(archive)
$(LIB_pipeline): $(OBJ_pipeline)
	$(archive)
$(LIB_mock): $(OBJ_mock)
	$(archive)

LINK = $(Q)mkdir -p $(@D); $(if $(V),,echo "  LD   $@";) $(CC) $(PP_CFLAGS) $(CFLAGS) $(PP_LDFLAGS) $(LDFLAGS) -o $@
LIBS_system = $(PKG_LIBS) $(LLHTTP_LIBS)

$(PROGRAM): $(MAIN) $(LIBS_all)
	$(LINK) $(MAIN) $(LIBS_all) $(LIBS_system)
$(foreach test,$(SRC_unit),$(eval $(BUILD)/tests/$(basename $(notdir $(test))): $(call obj,$(test))))
$(UNIT_TESTS): $(OBJ_support) $(LIBS_all)
	$(LINK) $(filter %/$(@F).o,$^) $(OBJ_support) $(LIBS_all) $(LIBS_system) $(CMOCKA_LIBS)

# --- tests -----------------------------------------------------------------------------------
# A test prints cmocka's lines or `ok - ...`; tests/run.sh counts them and closes with one line.
FUZZERS      := $(patsubst tests/fuzz/%.c,%,$(SRC_fuzz))
FUZZ_REPLAYS := $(patsubst %,$(BUILD)/tests/replay_%,$(FUZZERS))
FUZZ_LIVE    := $(patsubst %,$(BUILD)/fuzz/%,$(FUZZERS))
E2E_SCRIPTS  := $(sort $(wildcard tests/e2e/*.sh))
TOOLS        := $(BUILD)/golden/replay $(patsubst tests/fault/%.c,$(BUILD)/tests/%,$(filter-out %_interpose.c,$(sort $(wildcard tests/fault/*.c)))) \
                $(patsubst tests/fault/%.c,$(BUILD)/tests/%.so,$(sort $(wildcard tests/fault/*_interpose.c)))
# Seconds a fuzz target runs in `make fuzz`; kill -9 rounds in `make crash`.
FUZZ_SECONDS ?= 60
CRASH_ROUNDS ?= 200
# How many of them are killed again while they recover: 500 a night.
CRASH_PAIRS ?= 50
# The same for the sink, which checks every object each time.
SINK_CRASH_ROUNDS ?= 40

$(BUILD)/tests/replay_%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay_main.o $(LIBS_all)
	$(LINK) $< $(BUILD)/obj/tests/fuzz/replay_main.o $(LIBS_all) $(LIBS_system)
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(LIBS_all)
	$(LINK) -fsanitize=fuzzer $< $(LIBS_all) $(LIBS_system)
# The tools of the tests share no code with what they test.
$(BUILD)/golden/replay: $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard tests/golden/replay*.c)))
	$(LINK) $^ -lpthread
$(BUILD)/tests/%: $(BUILD)/obj/tests/fault/%.o
	$(LINK) $< -lpthread $(shell pkg-config --libs sqlite3 2>/dev/null)
$(BUILD)/tests/%.so: tests/fault/%.c $(wildcard tests/fault/*.h) $(BUILD)/flags
	$(Q)mkdir -p $(@D); echo "  SO   $@"; $(CC) -std=c11 -O2 -D_GNU_SOURCE $(WARNINGS) -shared -fPIC -o $@ $< -ldl -lpthread

.PHONY: check-build
check-build: $(PROGRAM) $(UNIT_TESTS) $(FUZZ_REPLAYS) $(TOOLS) ## build everything that `make check` runs

.PHONY: unit
unit: $(if $(T),$(BUILD)/tests/$(T),$(UNIT_TESTS)) ## run the unit tests (T=test_name for one)
	$(Q)for t in $(if $(T),$(BUILD)/tests/$(T),$(UNIT_TESTS)); do $$t || exit 1; done

.PHONY: check
check: check-build ## run the quick suite: units, golden transcripts, corpus, end to end, faults
	$(Q)BUILD=$(BUILD) sh tests/run.sh

.PHONY: test
test: ## install what is missing, build, run the quick suite
	$(Q)sh .ci/deps test
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) check-build
	$(Q)$(MAKE) --no-print-directory check

.PHONY: check-asan
check-asan: ## the quick suite under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory VARIANT=asan check

# The tests that run the mock, or a server of the tests, in a thread beside them.
ifeq ($(VARIANT),tsan)
THREADED := $(sort $(patsubst %.c,%,$(notdir $(shell grep -lE 'pinpipe_mock_(new|start)|(echo|answer)_server_|mysql_world_' $(SRC_unit)))))
endif
.PHONY: check-tsan
check-tsan: ## the tests with threads under ThreadSanitizer
	$(Q)$(MAKE) --no-print-directory VARIANT=tsan threaded-run
.PHONY: threaded-build
threaded-build: $(THREADED:%=$(BUILD)/tests/%)
.PHONY: threaded-run
threaded-run: threaded-build
	$(Q)for t in $(THREADED:%=$(BUILD)/tests/%); do echo "tsan: $$t" >&2; TSAN_OPTIONS="halt_on_error=1 $$TSAN_OPTIONS" $$t || exit 1; done

# Bytes on the wire do not depend on the machine: the codecs' units, built for one that is big-endian, run by qemu. They use no
# library but libc, so that none has to be there for it.
CROSS_CC  ?= s390x-linux-gnu-gcc
CROSS_RUN ?= qemu-s390x
CODECS := $(patsubst %,test_%,array aws_chunked aws_error checksum csv dotenv hash http_parse json_canonical json_text json_write \
            kafka_rest_media kafka_rest_produce_codec mysql_outline mysql_packet mysql_params mysql_row properties \
            python_random record_page rest_answer retry route row_json sink_path sink_value span zip_directory)
# Of checksum's, those that want OpenSSL; of sink_path's, the one that wants alloc_fault, which no static program can have.
CODECS_SKIPPED := texts_are_what_the_clients_send pieces_give_the_checksum_of_the_whole a_lack_of_memory_leads_to_no_other_path
.PHONY: check-codecs
check-codecs: ## the codecs' units on a big-endian machine (CROSS_CC, CROSS_RUN)
	$(Q)$(MAKE) --no-print-directory VARIANT=cross CC='$(CROSS_CC)' codecs-run
.PHONY: codecs-build
codecs-build: $(CODECS:%=$(BUILD)/codecs/%)
.PHONY: codecs-run
codecs-run: codecs-build
	$(Q)for t in $(CODECS:%=$(BUILD)/codecs/%); do echo "codecs: $${t##*/}" >&2; CROSS_SKIP='$(CODECS_SKIPPED)' $(CROSS_RUN) $$t >$$t.out 2>&1 || { cat $$t.out; exit 1; }; done; \
	  cat $(CODECS:%=$(BUILD)/codecs/%.out) | grep -c '^\[       OK \]' | sed 's/$$/ tests of codecs passed/'
$(foreach test,$(SRC_unit),$(eval $(BUILD)/codecs/$(basename $(notdir $(test))): $(call obj,$(test))))
OBJ_cross := $(call obj,$(sort $(wildcard tests/cross/*.c)))
# alloc_fault and call_fault stand before functions of the C library, which no static program can have twice.
OBJ_codecs := $(filter-out %_fault.o,$(OBJ_support))
$(BUILD)/codecs/%: $(OBJ_cross) $(OBJ_codecs) $(LIBS_all)
	$(LINK) $(filter %/$(@F).o,$^) $(OBJ_cross) $(OBJ_codecs) $(LIBS_all) $(PKG_LIBS)

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZ_SECONDS (60), needs clang
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz CC=clang fuzz-run
.PHONY: fuzz-build
fuzz-build: $(FUZZ_LIVE)
.PHONY: fuzz-run
fuzz-run: $(FUZZ_LIVE)
	$(Q)for f in $(FUZZERS); do mkdir -p $(BUILD)/found/$$f; echo "fuzz: $$f" >&2; \
	  $(BUILD)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	  -artifact_prefix=$(BUILD)/found/$$f/ $(BUILD)/found/$$f tests/fuzz/corpus/$${f#fuzz_} || exit 1; done

.PHONY: fault
fault: check-build ## every storage fault (the quick suite tries every third), then the fault scripts
	$(Q)PINPIPE_FAULT_STRIDE=1 $(BUILD)/tests/test_store_faults
	$(Q)PINPIPE_FAULT_STRIDE=1 $(BUILD)/tests/test_store_calls
	$(Q)PINPIPE_FAULT_STRIDE=1 $(BUILD)/tests/test_sink_faults
	$(Q)PINPIPE_FAULT_STRIDE=1 $(BUILD)/tests/test_store_lake_faults
	$(Q)for s in $(filter-out %/soak.sh,$(sort $(wildcard tests/fault/*.sh))); do MALLOC_STRIDE=1 TOOL_MALLOC_STRIDE=97 FILE_STRIDE=1 TOOL_FILE_STRIDE=3 PINPIPE=$(PROGRAM) BUILD=$(BUILD) sh $$s || exit 1; done

.PHONY: crash
crash: check-build ## kill -9 under load, CRASH_ROUNDS (200) times, CRASH_PAIRS (50) again while it recovers, the sink SINK_CRASH_ROUNDS (40)
	$(Q)PINPIPE=$(PROGRAM) BUILD=$(BUILD) sh tests/fault/crash.sh $(CRASH_ROUNDS) '' $(CRASH_PAIRS)
	$(Q)PINPIPE=$(PROGRAM) BUILD=$(BUILD) sh tests/fault/sink_crash.sh $(SINK_CRASH_ROUNDS)

# Idle, slow and silent connections in all, how often each port is asked while they stand, and the limits of memory that they find.
CROWD_CONNECTIONS ?= 10000
CROWD_ASKS ?= 50
CROWD_MIB ?= 64 48
.PHONY: crowd
crowd: check-build ## crowds of CROWD_CONNECTIONS (10000) idle, slow, reading nothing; peaks and others' latency
	$(Q)for mib in $(CROWD_MIB); do \
	    printf '%s\n' "serve --memory $$mib"; \
	    PINPIPE=$(PROGRAM) BUILD=$(BUILD) sh tests/fault/crowd.sh $(CROWD_CONNECTIONS) $(CROWD_ASKS) $$mib || exit 1; done

# Minutes of `make soak`; CI runs ten.
SOAK_MINUTES ?= 480
.PHONY: soak
soak: check-build ## half of the peak load over every service for SOAK_MINUTES (480): growth, losses, a CSV
	$(Q)PINPIPE=$(PROGRAM) BUILD=$(BUILD) sh tests/fault/soak.sh $(SOAK_MINUTES)

.PHONY: cover
cover: ## branch coverage of the quick suite with more of its faults, a room a line; fails below tests/cover_floors.txt
	$(Q)find build/cov -name '*.gcda' -exec rm -f {} + 2>/dev/null || true
	$(Q)MALLOC_STRIDE=5 STARVE_ROUNDS=10 $(MAKE) --no-print-directory VARIANT=cov check
	$(Q)sh tests/cover.sh build/cov

# gcc's analyzer, without three of its questions, so that what they would find is not found here. null-dereference and
# use-of-uninitialized-value are off because it does not know that error_set returns no STATUS_OK, and follows paths on which a
# refused result is used; malloc-leak because it loses sight of memory that a struct behind a pointer keeps. `make check-asan`
# sees NULLs and leaks on the paths that the tests take; uninitialized values are left to cppcheck and the compilers.
ANALYZER := -O0 -U_FORTIFY_SOURCE -fanalyzer -Wno-analyzer-null-dereference -Wno-analyzer-use-of-uninitialized-value \
            -Wno-analyzer-malloc-leak
.PHONY: lint
lint: all check-build ## the house rules that a machine can check
	$(Q)BUILD=$(BUILD) sh tests/lint/lint.sh
	$(Q)$(MAKE) --no-print-directory CC=clang WERROR=1 BUILD=build/clang all >/dev/null && echo "lint: clang has no warnings"
	$(Q)$(MAKE) --no-print-directory CC=gcc WERROR=1 BUILD=build/gcc all >/dev/null && echo "lint: gcc has no warnings"
	$(Q)$(MAKE) --no-print-directory CC=gcc WERROR=1 BUILD=build/analyzer CFLAGS='$(ANALYZER)' all >/dev/null && echo "lint: gcc's analyzer finds nothing"

.PHONY: bench
bench: all ## nginx, raw SQLite and pinpipe side by side, as ratios
	$(Q)sh .ci/deps bench
	$(Q)BUILD=$(BUILD) sh tests/bench/bench.sh

# --- for users -------------------------------------------------------------------------------
.PHONY: deps
deps: ## install what is missing to build
	$(Q)sh .ci/deps build

.PHONY: demo
demo: ## install what is missing, build, run the whole pipeline, print a verdict
	$(Q)sh .ci/deps build
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) all
	$(Q)$(PROGRAM) demo

.PHONY: docs
docs: all ## regenerate docs/pinpipe.1, fidelity.md, services.md and the rooms in architecture.md
	$(Q)$(PROGRAM) --man > docs/pinpipe.1
	$(Q)sh docs/fidelity.sh > docs/fidelity.md
	$(Q)sh docs/services.sh > docs/services.md
	$(Q)sh docs/rooms.sh

# The public library: the mock and the pipeline with the base below them, one archive.
$(BUILD)/libpinpipe.a: $(OBJ_mock) $(OBJ_pipeline) $(OBJ_base)
	$(archive)
$(BUILD)/pinpipe.pc: VERSION
	$(Q)mkdir -p $(@D); printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: pinpipe' \
	  'Description: the AWS side of the Pinterest data pipeline, for C tests' 'Version: $(VERSION)' \
	  'Requires.private: $(filter-out libcurl libcrypto,$(PKGS))' 'Libs: -L$${libdir} -lpinpipe' 'Libs.private: $(LLHTTP_LIBS) -lm -ldl -lpthread' \
	  'Cflags: -I$${includedir}' > $@

.PHONY: install
install: all $(BUILD)/libpinpipe.a $(BUILD)/pinpipe.pc ## install program, library, headers, man page (DESTDIR, PREFIX)
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)/pinpipe' '$(DESTDIR)$(MANDIR)/man1'
	install -m 755 $(PROGRAM) '$(DESTDIR)$(BINDIR)/pinpipe'
	install -m 644 $(BUILD)/libpinpipe.a '$(DESTDIR)$(LIBDIR)/'
	install -m 644 $(BUILD)/pinpipe.pc '$(DESTDIR)$(LIBDIR)/pkgconfig/'
	install -m 644 $(wildcard include/pinpipe/*.h include/pinpipe/*.def) '$(DESTDIR)$(INCLUDEDIR)/pinpipe/'
	install -m 644 docs/pinpipe.1 '$(DESTDIR)$(MANDIR)/man1/'

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f '$(DESTDIR)$(BINDIR)/pinpipe' '$(DESTDIR)$(LIBDIR)/libpinpipe.a' '$(DESTDIR)$(LIBDIR)/pkgconfig/pinpipe.pc' \
	  '$(DESTDIR)$(MANDIR)/man1/pinpipe.1'
	rm -rf '$(DESTDIR)$(INCLUDEDIR)/pinpipe'

.PHONY: dist
dist: ## a source archive of HEAD
	$(Q)mkdir -p build; git archive --prefix=pinpipe-$(VERSION)/ -o build/pinpipe-$(VERSION).tar.gz HEAD; echo build/pinpipe-$(VERSION).tar.gz

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: clean
clean: ## remove build/
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
