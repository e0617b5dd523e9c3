/* hello-glibc: the start-up of a static glibc program: IRELATIVE relocations, TLS, stdio. */
#include "program.h"

static __thread int thread_local_answer = 42;

int main(int argc, char** argv) {
    help(argc, argv, "usage: hello-glibc\n\nPrints a line, if a static glibc program could start.\n");
    no_arguments(argc, argv);
    /* strchr and its like are chosen by the CPU's features while the program starts. */
    const char* text = "hello from glibc";
    check(strchr(text, 'g') == text + 11, "strchr finds the wrong place");
    check(thread_local_answer == 42, "thread-local storage is not initialized");
    char* copy = malloc(1 << 20);
    check(copy != NULL, "malloc of a mebibyte");
    strcpy(copy, text);
    printf("%s, pid %s\n", copy, getpid() > 0 ? "positive" : "not positive");
    free(copy);
    return 0;
}
