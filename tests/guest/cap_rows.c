// Capability sets: asked for, changed, and following the user ids.
#include "rows.h"

#include <sys/prctl.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_IS_SET 1
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_LOWER 3
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

enum { kChown = 0, kDacOverride = 1, kKill = 5, kSetuid = 7, kSysAdmin = 21, kSysNice = 23, kLast = 40 };
static const uint32_t kVersion1 = 0x19980330, kVersion3 = 0x20080522;

struct header {
    uint32_t version;
    int pid;
};
struct data {
    uint32_t effective, permitted, inheritable;
};
struct sets {
    uint64_t effective, permitted, inheritable;
};

static uint64_t bit(int capability) { return (uint64_t)1 << capability; }

static struct sets get_sets(void) {
    struct header header = {kVersion3, 0};
    struct data data[2];
    CHECK(syscall(SYS_capget, &header, data) == 0);
    return (struct sets){data[0].effective | (uint64_t)data[1].effective << 32,
                         data[0].permitted | (uint64_t)data[1].permitted << 32,
                         data[0].inheritable | (uint64_t)data[1].inheritable << 32};
}

static int set_sets(struct sets to) {
    struct header header = {kVersion3, 0};
    const struct data data[2] = {{(uint32_t)to.effective, (uint32_t)to.permitted, (uint32_t)to.inheritable},
                                 {(uint32_t)(to.effective >> 32), (uint32_t)(to.permitted >> 32),
                                  (uint32_t)(to.inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

static uint64_t status_set(const char* name) {
    char line[256];
    uint64_t value = 0;
    FILE* status = fopen("/proc/self/status", "r");
    CHECK(status != NULL);
    while (fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) value = strtoull(line + strlen(name), NULL, 16);
    }
    fclose(status);
    return value;
}

ROWS(versions, "P8") {
    struct data data[2];
    struct header header = {0x1234, 0};
    CHECK_ERROR(syscall(SYS_capget, &header, data), EINVAL);
    CHECK(header.version == kVersion3);
    header.version = 0;
    CHECK(syscall(SYS_capget, &header, NULL) == 0 && header.version == kVersion3);
    header.version = 0;
    CHECK_ERROR(syscall(SYS_capset, &header, data), EINVAL);
    CHECK(header.version == kVersion3);
    header.pid = -1;
    CHECK_ERROR(syscall(SYS_capget, &header, data), EINVAL);
    header.pid = 1 << 22;
    CHECK_ERROR(syscall(SYS_capget, &header, data), ESRCH);
    header.pid = getpid();
    CHECK(syscall(SYS_capget, &header, data) == 0);
    CHECK_ERROR(syscall(SYS_capget, opaque(8), data), EFAULT);
    CHECK_ERROR(syscall(SYS_capget, &header, opaque(8)), EFAULT);
    header.pid = getppid();
    CHECK_ERROR(syscall(SYS_capset, &header, data), EPERM);
    // The first version knows 32 of them.
    struct data old[2] = {{0}, {0xabc, 0xabc, 0xabc}};
    header = (struct header){kVersion1, 0};
    CHECK(syscall(SYS_capget, &header, old) == 0);
    CHECK(old[0].permitted == data[0].permitted && old[1].permitted == 0xabc);
}

ROWS(sets_shrink, "P8") {
    struct sets now = get_sets();
    CHECK(now.permitted == status_set("CapPrm:") && now.effective == status_set("CapEff:"));
    CHECK((now.effective & bit(kKill)) != 0);
    now.effective &= ~bit(kKill);
    CHECK(set_sets(now) == 0 && status_set("CapEff:") == now.effective);
    now.effective |= bit(kKill);
    CHECK(set_sets(now) == 0);
    now.effective &= ~bit(kKill);
    now.permitted &= ~bit(kKill);
    CHECK(set_sets(now) == 0);
    struct sets more = now;
    more.permitted |= bit(kKill);
    CHECK_ERROR(set_sets(more), EPERM);
    more = now;
    more.effective |= bit(kKill);
    CHECK_ERROR(set_sets(more), EPERM);
    // What capable() is asked for: root without it is nobody special.
    const pid_t other = IN_CHILD({
        CHECK(setresuid(4321, 4321, 4321) == 0);
        pause();
    });
    while (kill(other, 0) == 0) usleep(1000);
    CHECK(errno == EPERM);
    CHECK(setresuid(4321, 4321, 4321) == 0 && kill(other, SIGKILL) == 0);
    CHECK(WTERMSIG(wait_status(other)) == SIGKILL);
}

ROWS(they_go_with_root, "P8") {
    const struct sets all = get_sets();
    wait_exit(IN_CHILD({
                  CHECK(seteuid(1000) == 0);
                  CHECK(get_sets().effective == 0 && get_sets().permitted == all.permitted);
                  CHECK(seteuid(0) == 0 && get_sets().effective == all.permitted);
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  CHECK(get_sets().effective == 0 && get_sets().permitted == 0);
                  CHECK_ERROR(setuid(0), EPERM);
              }),
              0);
    wait_exit(IN_CHILD({
                  CHECK(prctl(PR_GET_KEEPCAPS) == 0 && prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
                  CHECK_ERROR(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  struct sets kept = get_sets();
                  CHECK(kept.effective == 0 && kept.permitted == all.permitted);
                  kept.effective = bit(kSetuid);
                  CHECK(set_sets(kept) == 0 && setresuid(0, 0, 0) == 0);
              }),
              0);
    // SECBIT_NO_SETUID_FIXUP: nothing follows.
    CHECK(prctl(PR_GET_SECUREBITS) == 0 && prctl(PR_SET_SECUREBITS, 4 | 8) == 0 && prctl(PR_GET_SECUREBITS) == 12);
    CHECK_ERROR(prctl(PR_SET_SECUREBITS, 0), EPERM);
    CHECK_ERROR(prctl(PR_SET_SECUREBITS, 12 | 1 << 20), EPERM);
    CHECK(setresuid(1000, 1000, 1000) == 0 && get_sets().effective == all.effective);
}

ROWS(bounding_and_ambient, "P8,F12") {
    CHECK(prctl(PR_CAPBSET_READ, kChown) == 1);
    CHECK_ERROR(prctl(PR_CAPBSET_READ, 64), EINVAL);
    CHECK_ERROR(prctl(PR_CAPBSET_DROP, 64), EINVAL);
    CHECK(prctl(PR_CAPBSET_DROP, kChown) == 0 && prctl(PR_CAPBSET_READ, kChown) == 0);
    CHECK((status_set("CapBnd:") & bit(kChown)) == 0 && (get_sets().permitted & bit(kChown)) != 0);
    CHECK_ERROR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kKill, 0, 0), EPERM);  // not inheritable
    struct sets now = get_sets();
    now.inheritable = bit(kChown);
    CHECK_ERROR(set_sets(now), EPERM);  // beyond the bounding set
    now.inheritable = bit(kKill);
    CHECK(set_sets(now) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kKill, 0, 0) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, kKill, 0, 0) == 1);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, kChown, 0, 0) == 0);
    CHECK_ERROR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0), EINVAL);
    CHECK_ERROR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, kKill, 1, 0), EINVAL);
    CHECK_ERROR(prctl(PR_CAP_AMBIENT, 9, kKill, 0, 0), EINVAL);
    CHECK_ERROR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, kKill, 0, 0), EINVAL);
    wait_exit(IN_CHILD({
                  CHECK(status_set("CapAmb:") == bit(kKill));  // row F12
                  CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, kKill, 0, 0) == 0 && status_set("CapAmb:") == 0);
              }),
              0);
    CHECK(status_set("CapAmb:") == bit(kKill));
    wait_exit(IN_CHILD({ CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && status_set("CapAmb:") == 0); }),
              0);
    // Not inheritable any more: not ambient either.
    now.inheritable = 0;
    CHECK(set_sets(now) == 0 && status_set("CapAmb:") == 0);
}

ROWS(real_effective_and_file_ids, "P8") {
    uid_t real, effective, saved;
    CHECK(setreuid(1000, 2000) == 0 && getresuid(&real, &effective, &saved) == 0);
    CHECK(real == 1000 && effective == 2000 && saved == 2000);
    CHECK_ERROR(setreuid(-1, 3000), EPERM);
    CHECK_ERROR(setreuid(3000, -1), EPERM);
    CHECK(setreuid(-1, 1000) == 0 && getresuid(&real, &effective, &saved) == 0);
    CHECK(effective == 1000 && saved == 2000);  // the real id leaves the saved one
    CHECK(setreuid(2000, 1000) == -1 && errno == EPERM);
    CHECK(setreuid(-1, 2000) == 0);
    CHECK_ERROR(setregid(1, 1), EPERM);
    CHECK(setregid(-1, 0) == 0);
}

ROWS(the_file_systems_ids, "P8") {
    CHECK(syscall(SYS_setfsuid, 1000) == 0 && syscall(SYS_setfsuid, -1) == 1000);
    CHECK((get_sets().effective & (bit(kDacOverride) | bit(kChown))) == 0);
    CHECK((get_sets().effective & bit(kKill)) != 0);
    CHECK(syscall(SYS_setfsgid, 1000) == 0 && syscall(SYS_setfsgid, -1) == 1000);
    CHECK_ERROR(open("/proc/1/environ", O_RDONLY), EACCES);
    CHECK(geteuid() == 0 && syscall(SYS_setfsuid, 0) == 1000);
    CHECK((get_sets().effective & bit(kDacOverride)) != 0);
    CHECK(syscall(SYS_setfsgid, 0) == 1000);
    CHECK(setresuid(1000, 1000, 1000) == 0 && syscall(SYS_setfsuid, -1) == 1000);
    CHECK(syscall(SYS_setfsuid, 5) == 1000 && syscall(SYS_setfsuid, -1) == 1000);  // refused in silence
}

ROWS(dumpable, "P8") {
    CHECK(prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
    CHECK_ERROR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    wait_exit(IN_CHILD({ CHECK(prctl(PR_GET_DUMPABLE) == 0); }), 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    const pid_t one = IN_CHILD({
        CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        CHECK(prctl(PR_GET_DUMPABLE) != 1);
        pause();
    });
    wait_exit(IN_CHILD({
                  char path[64];
                  usleep(20000);
                  CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
                  snprintf(path, sizeof(path), "/proc/%d/environ", one);
                  CHECK_ERROR(open(path, O_RDONLY), EACCES);
              }),
              0);
    CHECK(kill(one, SIGKILL) == 0 && WTERMSIG(wait_status(one)) == SIGKILL);
}
