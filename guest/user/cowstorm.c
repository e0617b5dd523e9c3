/* cowstorm: many children write many shared pages at once; each must see its own writes and nobody else's. */
#include "program.h"

#include <sys/mman.h>
#include <sys/wait.h>

/* What process `who` (0: the parent) writes to a page. */
static unsigned long stamp(int who, long page) {
    return (unsigned long)page * 1000003UL + (unsigned long)who;
}

static unsigned long* word_of(char* region, long page) { return (unsigned long*)(region + page * PAGE_SIZE); }

/* Child `who` writes every page whose number it divides; the rest must still be the parent's. */
static void storm(char* region, long pages, int who) {
    for (long page = 0; page < pages; ++page) {
        if (page % (who + 1) == 0) *word_of(region, page) = stamp(who, page);
    }
    for (long page = 0; page < pages; ++page) {
        int writer = page % (who + 1) == 0 ? who : 0;
        check(*word_of(region, page) == stamp(writer, page),
              "a child found a page that is not as it left it");
    }
    _exit(0);
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: cowstorm [PAGES [CHILDREN [ROUNDS]]]\n\n"
         "The parent dirties PAGES pages (256); CHILDREN children (8) at once write parts of them and check "
         "all; ROUNDS\n"
         "times (4).\n");
    long pages = argc > 1 ? number(argv[1], 1 << 20) : 256;
    long children = argc > 2 ? number(argv[2], 1000) : 8;
    long rounds = argc > 3 ? number(argv[3], 1000000) : 4;
    char* region =
        mmap(NULL, (size_t)pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) fail("mmap");
    for (long round = 0; round < rounds; ++round) {
        for (long page = 0; page < pages; ++page) *word_of(region, page) = stamp(0, page);
        for (int who = 1; who <= children; ++who) {
            pid_t child = fork();
            if (child < 0) fail("fork");
            if (child == 0) storm(region, pages, who);
        }
        for (long left = children; left > 0; --left) {
            int status;
            if (wait(&status) < 0) fail("wait");
            check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child failed");
        }
        for (long page = 0; page < pages; ++page) {
            check(*word_of(region, page) == stamp(0, page), "a child's write reached the parent");
        }
    }
    say("cowstorm: %ld rounds of %ld children over %ld pages: every process saw its own memory", rounds,
        children, pages);
    return 0;
}
