// SQLite from Debian's static library: `sqlite DATABASE <SQL`. Rows are printed with | between their columns;
// an error of one statement is printed, and those after it in the same line of input are left out. Waits for
// others' locks.
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_row(void* unused, int columns, char** values, char** names) {
    (void)unused;
    (void)names;
    for (int i = 0; i < columns; ++i)
        printf("%s%s", i == 0 ? "" : "|", values[i] == NULL ? "NULL" : values[i]);
    putchar('\n');
    return 0;
}

// Reads lines until they are whole statements.
static bool read_statement(char* text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    while (length + 1 < size && fgets(text + length, (int)(size - length), stdin) != NULL) {
        length += strlen(text + length);
        if (sqlite3_complete(text)) return true;
    }
    return length > 0;
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fputs("usage: sqlite DATABASE <SQL\n", stderr);
        return 2;
    }
    sqlite3* database = NULL;
    if (sqlite3_open(argv[1], &database) != SQLITE_OK) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(database));
        return 1;
    }
    sqlite3_busy_timeout(database, 60000);
    static char text[65536];
    int failures = 0;
    while (read_statement(text, sizeof(text))) {
        char* error = NULL;
        const int outcome = sqlite3_exec(database, text, print_row, NULL, &error);
        fflush(stdout);
        if (outcome == SQLITE_OK) continue;
        printf("error: %s\n", error);
        sqlite3_free(error);
        ++failures;
    }
    if (sqlite3_close(database) != SQLITE_OK) return 1;
    return failures > 0 ? 3 : 0;
}
