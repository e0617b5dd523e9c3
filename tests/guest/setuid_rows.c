// Set-id bits and capabilities at execve. The program runs itself, copied to where the test wants it.
#include "rows.h"

#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { kKill = 5, kUser = 1000, kOwner = 2000, kGroup = 3000 };
static char directory[32] = "/tmp/setuid-XXXXXX";
static char program[64];

// In the copy: says who it is, in the place of the tests.
__attribute__((constructor(101))) static void report(void) {
    const char* out = getenv("SETUID_REPORT");
    if (out == NULL) return;
    if (atoi(out) < 0) _exit(98);  // it was not to run
    unsigned long long permitted = 0, effective = 0;
    char line[256];
    FILE* status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        sscanf(line, "CapPrm: %llx", &permitted);
        sscanf(line, "CapEff: %llx", &effective);
    }
    uid_t real, effective_id, saved;
    gid_t real_group, effective_group, saved_group;
    getresuid(&real, &effective_id, &saved);
    getresgid(&real_group, &effective_group, &saved_group);
    dprintf(atoi(out), "%u %u %u %u %u %u %llx %llx %lu %d", real, effective_id, saved, real_group, effective_group,
            saved_group, permitted, effective, getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE));
    _exit(0);
}

struct who {
    unsigned uid, euid, suid, gid, egid, sgid;
    unsigned long long permitted, effective;
    unsigned long secure;
    int dumpable;
};

// What the program finds itself to be, started by a child that `prepare` made what it is.
static struct who run(void (*prepare)(void)) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t pid = IN_CHILD({
        char descriptor[32];
        snprintf(descriptor, sizeof(descriptor), "SETUID_REPORT=%d", ends[1]);
        char* const arguments[] = {program, NULL};
        char* const environment[] = {descriptor, NULL};
        prepare();
        execve(program, arguments, environment);
        CHECK(!"execve came back");
    });
    wait_exit(pid, 0);
    char text[256] = "";
    CHECK(read(ends[0], text, sizeof(text) - 1) > 0);
    struct who who;
    CHECK(sscanf(text, "%u %u %u %u %u %u %llx %llx %lu %d", &who.uid, &who.euid, &who.suid, &who.gid, &who.egid,
                 &who.sgid, &who.permitted, &who.effective, &who.secure, &who.dumpable) == 10);
    close(ends[0]);
    close(ends[1]);
    return who;
}

static void copy_program(uid_t owner, gid_t group, mode_t mode) {
    static char bytes[65536];
    CHECK(mkdtemp(directory) != NULL && chmod(directory, 0755) == 0);
    snprintf(program, sizeof(program), "%s/program", directory);
    const int from = open("/proc/self/exe", O_RDONLY);
    const int to = open(program, O_WRONLY | O_CREAT, 0700);
    CHECK(from >= 0 && to >= 0);
    for (ssize_t n; (n = read(from, bytes, sizeof(bytes))) > 0;) CHECK(write(to, bytes, (size_t)n) == n);
    CHECK(close(to) == 0 && close(from) == 0);
    CHECK(chown(program, owner, group) == 0 && chmod(program, mode) == 0);
}

static void clean_up(void) { CHECK(unlink(program) == 0 && rmdir(directory) == 0); }

static void as_user(void) { CHECK(setresgid(kUser, kUser, kUser) == 0 && setresuid(kUser, kUser, kUser) == 0); }
static void as_user_without_new_privs(void) {
    as_user();
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}
static void as_root(void) {}

ROWS(the_owners_id, "P8") {
    copy_program(kOwner, kGroup, 04755);
    const struct who who = run(as_user);
    CHECK(who.uid == kUser && who.euid == kOwner && who.suid == kOwner && who.egid == kUser);
    CHECK(who.permitted == 0 && who.secure == 1 && who.dumpable != 1);
    const struct who less = run(as_user_without_new_privs);
    CHECK(less.euid == kUser && less.suid == kUser && less.secure == 0 && less.dumpable == 1);
    clean_up();
}

ROWS(the_groups_id, "P8") {
    copy_program(kOwner, kGroup, 02755);
    struct who who = run(as_user);
    CHECK(who.euid == kUser && who.gid == kUser && who.egid == kGroup && who.sgid == kGroup && who.secure == 1);
    CHECK(chmod(program, 02745) == 0);  // not executable for the group: not set-group-id
    who = run(as_user);
    CHECK(who.egid == kUser && who.secure == 0);
    clean_up();
}

ROWS(roots_capabilities, "P8") {
    copy_program(0, 0, 04755);
    struct who who = run(as_user);
    CHECK(who.uid == kUser && who.euid == 0 && who.secure == 1);
    CHECK((who.permitted & 1ULL << kKill) != 0 && who.permitted == who.effective);
    who = run(as_user_without_new_privs);
    CHECK(who.euid == kUser && who.permitted == 0);
    who = run(as_root);
    CHECK(who.euid == 0 && who.secure == 0 && who.effective != 0 && who.dumpable == 1);
    // A change of hands takes the bits away.
    struct stat stat_of;
    CHECK(chown(program, 0, kGroup) == 0 && stat(program, &stat_of) == 0 && (stat_of.st_mode & 06000) == 0);
    clean_up();
}

static void as_root_beside_a_user(void) { CHECK(setresuid(0, kUser, kUser) == 0); }
static void without_noroot(void) { CHECK(prctl(PR_SET_SECUREBITS, 1) == 0); }
static void bounded(void) { CHECK(prctl(PR_CAPBSET_DROP, kKill) == 0); }
ROWS(execve_and_capabilities, "P8") {
    copy_program(0, 0, 0755);
    struct who who = run(as_user);
    CHECK(who.euid == kUser && who.permitted == 0 && who.effective == 0 && who.secure == 0 && who.dumpable == 1);
    who = run(bounded);
    CHECK((who.permitted & 1ULL << kKill) == 0 && who.permitted != 0);
    who = run(without_noroot);
    CHECK(who.euid == 0 && who.permitted == 0 && who.effective == 0);
    who = run(as_root_beside_a_user);
    CHECK(who.uid == 0 && who.euid == kUser && who.permitted != 0 && who.effective == 0 && who.secure == 1);
    clean_up();
}

// Kept over a change of ids, ambient capabilities are those of an ordinary program.
static void as_ambient_user(void) {
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2];
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
    as_user();
    CHECK(syscall(SYS_capget, &header, data) == 0);
    data[0].inheritable = 1U << kKill;
    CHECK(syscall(SYS_capset, &header, data) == 0);
    CHECK(prctl(47, 2, kKill, 0, 0) == 0);  // PR_CAP_AMBIENT_RAISE
}
ROWS(ambient_capabilities, "P8") {
    copy_program(kOwner, kGroup, 0755);
    struct who who = run(as_ambient_user);
    CHECK(who.euid == kUser && who.permitted == 1U << kKill && who.effective == 1U << kKill && who.secure == 0);
    CHECK(chmod(program, 04755) == 0);
    who = run(as_ambient_user);
    CHECK(who.euid == kOwner && who.permitted == 0 && who.secure == 1);
    clean_up();
}

ROWS(unreadable_programs, "P8") {
    copy_program(0, 0, 0711);
    const struct who who = run(as_user);
    CHECK(who.euid == kUser && who.secure == 0 && who.dumpable != 1);
    clean_up();
}

ROWS(nosuid_and_noexec_mounts, "P8") {
    CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mount("none", "/mnt", "tmpfs", MS_NOSUID, NULL) == 0);
    strcpy(directory, "/mnt/setuid-XXXXXX");
    copy_program(kOwner, kGroup, 06755);
    CHECK(chmod("/mnt", 0755) == 0);
    const struct who who = run(as_user);
    CHECK(who.euid == kUser && who.egid == kUser && who.secure == 0);
    CHECK(mount("none", "/mnt", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL) == 0);
    CHECK(setenv("SETUID_REPORT", "-1", 1) == 0);
    CHECK_ERROR(execl(program, program, (char*)NULL), EACCES);
    CHECK(umount2("/mnt", MNT_DETACH) == 0);
}
