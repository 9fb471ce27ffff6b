/* The outcomes of MySQL's numbers. Those below 2000 and above 3000 are the server's, the others the
 * client library's own. */
#include "mariadb_errors.h"

enum {
    error_words_bytes_max = 230,
    error_table_missing = 1146,
};

struct error_meaning {
    unsigned number;
    enum status status;
    bool is_loss;
    const char *fix;
};

static const struct error_meaning meanings[] = {
    {1040, STATUS_FAILED, false, "it has no connection left: try again later"},
    {1044, STATUS_CONFIG, false, "USER of creds.yaml may not use DATABASE"},
    {1045, STATUS_CONFIG, false, "check USER and PASSWORD of creds.yaml"},
    {1049, STATUS_CONFIG, false, "check DATABASE of creds.yaml"},
    {1053, STATUS_UNREACHABLE, true, "it is being stopped: try again later"},
    {1129, STATUS_UNREACHABLE, false, "it has shut this machine out: wait, or FLUSH HOSTS there"},
    {1130, STATUS_CONFIG, false, "it takes nobody from this machine: ask its administrator"},
    {1142, STATUS_CONFIG, false, "USER of creds.yaml may not read the table"},
    {error_table_missing, STATUS_NOT_FOUND, false,
     "check DATABASE of creds.yaml, whose tables are pinterest_data, geolocation_data and "
     "user_data"},
    {1203, STATUS_FAILED, false, "USER has too many connections: close some, or wait"},
    {1226, STATUS_FAILED, false, "USER has used up what it may: wait"},
    {1251, STATUS_CONFIG, false, "USER logs in by a plugin that libmariadb does not have"},
    {1524, STATUS_CONFIG, false, "USER logs in by a plugin that the server does not have"},
    {1698, STATUS_CONFIG, false, "USER logs in without a password there: make one that has it"},
    {1927, STATUS_UNREACHABLE, true, "somebody there has ended the connection: try again"},
    {2002, STATUS_UNREACHABLE, true,
     "does a server run there, are HOST and PORT of creds.yaml right, does its security group let "
     "this machine in?"},
    {2003, STATUS_UNREACHABLE, true, "are HOST and PORT of creds.yaml right?"},
    {2005, STATUS_UNREACHABLE, false,
     "is HOST of creds.yaml right? A name alone, without mysql:// and without a port"},
    {2006, STATUS_UNREACHABLE, true, "try again; is the server restarting?"},
    {2012, STATUS_UNREACHABLE, true, "is it a MySQL server that listens there?"},
    {2013, STATUS_UNREACHABLE, true,
     "try again; is it a MySQL server that listens there, and did it go away?"},
    {2020, STATUS_LIMIT, false, "a row has more than 16 MiB"},
    {2026, STATUS_CONFIG, false,
     "its TLS cannot be trusted or used: is SSL_CA of creds.yaml the file of the authority that "
     "signed for HOST (for RDS: global-bundle.pem of truststore.pki.rds.amazonaws.com)?"},
    {2027, STATUS_UNREACHABLE, true, "is it a MySQL server that listens there?"},
    {2049, STATUS_CONFIG, false, "USER logs in by a method that is too old to be safe"},
    {2059, STATUS_CONFIG, false,
     "USER logs in by a plugin that libmariadb lacks or that would send the password as it is"},
    {3118, STATUS_CONFIG, false, "USER is locked there"},
    {3159, STATUS_CONFIG, false,
     "it wants TLS, and this libmariadb cannot: install one that was built with TLS"},
    {4031, STATUS_UNREACHABLE, true, "it ended an idle connection: try again"},
    {4151, STATUS_CONFIG, false, "USER is locked there"},
    {5010, STATUS_CONFIG, false,
     "USER logs in by a plugin that would send the password as it is, which is not done"},
};

static const struct error_meaning *meaning_find(unsigned number)
{
    static const struct error_meaning other_of_client = {
        0, STATUS_UNREACHABLE, true, "is it a MySQL server that listens there?"};
    static const struct error_meaning other = {0, STATUS_FAILED, false,
                                               "the server refused the statement"};
    for (size_t i = 0; i < ARRAY_COUNT(meanings); i++) {
        if (meanings[i].number == number) {
            return &meanings[i];
        }
    }
    bool of_client = (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
    return of_client ? &other_of_client : &other;
}

bool mariadb_error_is_loss(unsigned number)
{
    return meaning_find(number)->is_loss;
}

enum status mariadb_error_set(const struct mysql_account *account, unsigned number,
                              const char *words, struct error *err)
{
    const struct error_meaning *meaning = meaning_find(number);
    if (number == 2008) { /* the library's own */
        return error_no_memory(err);
    }
    return error_set(err, meaning->status, "%s:%d: %.*s (%u): %s", account->host, account->port,
                     error_words_bytes_max, words, number, meaning->fix);
}

enum status mariadb_timed_out(const struct mysql_account *account, const char *doing,
                              struct error *err)
{
    return error_set(err, STATUS_TIMED_OUT,
                     "%s:%d: the MySQL server took too long to %s: are HOST and PORT of creds.yaml "
                     "right, does its security group let this machine in? --timeout S waits longer",
                     account->host, account->port, doing);
}
