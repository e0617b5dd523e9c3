// System V shared memory.
#include "ipc_rows.h"

#include <sys/shm.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#define FAILED ((void*)-1)

static int new_segment(size_t bytes) {
    const int id = shmget(IPC_PRIVATE, bytes, 0600);
    CHECK(id >= 0);
    return id;
}
static void remove_segment(int id) { CHECK(shmctl(id, IPC_RMID, NULL) == 0); }

static char* attach(int id, int flags) {
    char* memory = shmat(id, NULL, flags);
    CHECK(memory != FAILED);
    return memory;
}

static struct shmid_ds stat_of(int id) {
    struct shmid_ds info;
    CHECK(shmctl(id, IPC_STAT, &info) == 0);
    return info;
}

#define CHECK_SHMAT(call, wanted)                    \
    do {                                             \
        errno = 0;                                   \
        CHECK((call) == FAILED && errno == (wanted)); \
    } while (0)

ROWS(segments_are_made_and_found, "F11") {
    const key_t key = own_key(1);
    CHECK_ERROR(shmget(key, 1, 0600), ENOENT);
    const int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && shmget(key, 0, 0) == id && shmget(key, 5000, IPC_CREAT) == id);
    CHECK_ERROR(shmget(key, 1, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK_ERROR(shmget(key, 5001, 0), EINVAL);
    CHECK_ERROR(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
    CHECK_ERROR(shmget(IPC_PRIVATE, (size_t)-1, 0600), EINVAL);
    const struct shmid_ds info = stat_of(id);
    CHECK(info.shm_perm.__key == key && info.shm_perm.mode == 0640 && info.shm_segsz == 5000);
    CHECK(info.shm_perm.uid == geteuid() && info.shm_perm.cgid == getegid());
    CHECK(info.shm_cpid == getpid() && info.shm_lpid == 0 && info.shm_nattch == 0);
    CHECK(info.shm_atime == 0 && info.shm_dtime == 0 && labs(info.shm_ctime - time(NULL)) < 10);
    remove_segment(id);
    CHECK_ERROR(shmget(key, 0, 0), ENOENT);
    CHECK_SHMAT(shmat(id, NULL, 0), EINVAL);
    struct shmid_ds gone;
    CHECK_ERROR(shmctl(id, IPC_STAT, &gone), EINVAL);
}

ROWS(segments_are_shared_across_fork_and_exec, "F11,W5") {
    const int id = new_segment(3 * PAGE);
    char* memory = attach(id, 0);
    CHECK(memory[0] == 0 && memory[3 * PAGE - 1] == 0);
    memory[0] = 'p';
    CHECK(stat_of(id).shm_nattch == 1 && stat_of(id).shm_lpid == getpid());
    const struct meeting meeting = meeting_open();
    const struct meeting answer = meeting_open();
    pid_t child = IN_CHILD({
        // The attachment is inherited; another one is the same memory.
        CHECK(memory[0] == 'p');
        char* second = attach(id, 0);
        CHECK(second != memory && second[0] == 'p');
        second[PAGE] = 'c';
        CHECK(stat_of(id).shm_nattch == 3);
        CHECK(shmdt(second) == 0);
        CHECK(stat_of(id).shm_nattch == 2);
        meeting_tell(meeting);
        meeting_await(answer);
    });
    meeting_await(meeting);
    CHECK(memory[PAGE] == 'c');
    meeting_tell(answer);
    wait_exit(child, 0);
    // The end of a process detaches.
    struct shmid_ds info = stat_of(id);
    CHECK(info.shm_nattch == 1 && info.shm_lpid == child);
    CHECK(labs(info.shm_atime - time(NULL)) < 10 && labs(info.shm_dtime - time(NULL)) < 10);

    // So does execve.
    int input[2];
    CHECK(pipe(input) == 0);
    const struct meeting started = meeting_open();
    child = IN_CHILD({
        CHECK(dup2(input[0], 0) == 0 && close(input[1]) == 0);
        CHECK(fcntl(started.ends[1], F_SETFD, FD_CLOEXEC) == 0);
        execl("/bin/cat", "cat", (char*)NULL);
        _exit(127);
    });
    close(started.ends[1]);
    char byte;
    CHECK(read(started.ends[0], &byte, 1) == 0);
    CHECK(stat_of(id).shm_nattch == 1);
    close(input[1]);
    wait_exit(child, 0);
    CHECK(shmdt(memory) == 0 && stat_of(id).shm_nattch == 0);
    memory = attach(id, 0);
    CHECK(memory[0] == 'p' && memory[PAGE] == 'c');
    remove_segment(id);
}

ROWS(removal_waits_for_the_last_attachment, "F11") {
    const key_t key = own_key(2);
    const int id = shmget(key, PAGE, IPC_CREAT | 0600);
    char* memory = attach(id, 0);
    remove_segment(id);
    struct shmid_ds info = stat_of(id);
    CHECK((info.shm_perm.mode & SHM_DEST) != 0 && info.shm_nattch == 1 && info.shm_perm.__key == IPC_PRIVATE);
    CHECK_ERROR(shmget(key, 0, 0), ENOENT);
    memory[7] = 7;
    // It can still be attached by its number.
    char* again = attach(id, 0);
    CHECK(again[7] == 7);
    CHECK(shmdt(memory) == 0 && shmdt(again) == 0);
    CHECK_ERROR(shmctl(id, IPC_STAT, &info), EINVAL);

    // A child that ends last ends the segment.
    const int other = new_segment(PAGE);
    memory = attach(other, 0);
    const struct meeting meeting = meeting_open();
    const pid_t child = IN_CHILD(meeting_await(meeting));
    CHECK(shmdt(memory) == 0);
    remove_segment(other);
    CHECK(stat_of(other).shm_nattch == 1);
    meeting_tell(meeting);
    wait_exit(child, 0);
    CHECK_ERROR(shmctl(other, IPC_STAT, &info), EINVAL);
}

// The access is refused.
static void check_write_faults(char* at) {
    const pid_t child = IN_CHILD(*(volatile char*)at = 1);
    const int status = wait_status(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

ROWS(attachments_have_rights_and_places, "F11") {
    const int id = new_segment(2 * PAGE + 1);
    char* writable = attach(id, 0);
    char* readonly = attach(id, SHM_RDONLY);
    writable[5] = 5;
    CHECK(readonly[5] == 5);
    check_write_faults(readonly);
    CHECK_ERROR(mprotect(readonly, PAGE, PROT_READ | PROT_WRITE), EACCES);

    char* room = map_pages(8, MAP_PRIVATE);
    // Not where something is, unless SHM_REMAP says so.
    CHECK_SHMAT(shmat(id, room, 0), EINVAL);
    CHECK_SHMAT(shmat(id, NULL, SHM_REMAP), EINVAL);
    CHECK(shmat(id, room, SHM_REMAP) == room && room[5] == 5);
    CHECK(shmdt(room) == 0);
    CHECK(shmat(id, room, 0) == room && shmdt(room) == 0);
    CHECK_SHMAT(shmat(id, room + 5, 0), EINVAL);
    CHECK(shmat(id, room + 5, SHM_RND) == room);
    CHECK_ERROR(shmdt(room + 5), EINVAL);
    CHECK_ERROR(shmdt(room + PAGE), EINVAL);
    CHECK(shmdt(room) == 0);
    CHECK_ERROR(shmdt(room), EINVAL);
    CHECK_SHMAT(shmat(-1, NULL, 0), EINVAL);

    unsigned char* code = shmat(id, NULL, SHM_EXEC);
    if (geteuid() == 0) {
        CHECK(code != FAILED);
        code[0] = 0xc3;  // ret
        ((void (*)(void))code)();
    }
    remove_segment(id);
}

ROWS(parts_of_attachments, "F11") {
    const int id = new_segment(4 * PAGE);
    char* memory = attach(id, 0);
    memory[3 * PAGE] = 3;
    // Each piece counts.
    CHECK(munmap(memory + PAGE, PAGE) == 0);
    CHECK(stat_of(id).shm_nattch == 2);
    CHECK(mprotect(memory + 2 * PAGE, PAGE, PROT_READ) == 0);
    CHECK(stat_of(id).shm_nattch == 3);
    CHECK(memory[3 * PAGE] == 3);
    CHECK(shmdt(memory) == 0);
    CHECK(stat_of(id).shm_nattch == 0);
    remove_segment(id);
}

ROWS(rights_on_segments, "F11") {
    if (geteuid() != 0) return;
    const int id = new_segment(PAGE);
    struct shmid_ds info = stat_of(id);
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK_SHMAT(shmat(id, NULL, SHM_RDONLY), EACCES);
                  struct shmid_ds unseen;
                  CHECK_ERROR(shmctl(id, IPC_STAT, &unseen), EACCES);
                  CHECK_ERROR(shmctl(id, IPC_SET, &info), EPERM);
                  CHECK_ERROR(shmctl(id, IPC_RMID, NULL), EPERM);
                  CHECK_ERROR(shmctl(id, SHM_LOCK, NULL), EPERM);
              }),
              0);
    info.shm_perm.mode = 0604;
    CHECK(shmctl(id, IPC_SET, &info) == 0);
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK(shmat(id, NULL, SHM_RDONLY) != FAILED);
                  CHECK_SHMAT(shmat(id, NULL, 0), EACCES);
                  CHECK_SHMAT(shmat(id, NULL, SHM_RDONLY | SHM_EXEC), EACCES);
              }),
              0);
    CHECK(shmctl(id, SHM_LOCK, NULL) == 0);
    CHECK((stat_of(id).shm_perm.mode & SHM_LOCKED) != 0);
    info.shm_perm.mode = 0600;
    CHECK(shmctl(id, IPC_SET, &info) == 0);
    CHECK(stat_of(id).shm_perm.mode == (0600 | SHM_LOCKED));
    CHECK(shmctl(id, SHM_UNLOCK, NULL) == 0);
    CHECK(stat_of(id).shm_perm.mode == 0600);
    CHECK_ERROR(shmctl(id, IPC_STAT, opaque(8)), EFAULT);
    CHECK_ERROR(shmctl(id, IPC_SET, opaque(8)), EFAULT);
    CHECK_ERROR(shmctl(id, 99, NULL), EINVAL);
    CHECK_ERROR(shmctl(-1, IPC_STAT, NULL), EINVAL);
    remove_segment(id);
}

ROWS(the_system_counts_segments, "F11") {
    struct shminfo limits;
    CHECK(shmctl(0, IPC_INFO, (struct shmid_ds*)&limits) >= 0);
    CHECK(limits.shmmax == (unsigned long)-1 - (1UL << 24) && limits.shmmin == 1);
    CHECK(limits.shmmni == 4096 && limits.shmseg == 4096 && limits.shmall == (unsigned long)-1 - (1UL << 24));
    struct shm_info before;
    CHECK(shmctl(0, SHM_INFO, (struct shmid_ds*)&before) >= 0);
    const int id = new_segment(3 * PAGE);
    char* memory = attach(id, 0);
    memory[0] = 1;
    struct shm_info info;
    const int highest = shmctl(0, SHM_INFO, (struct shmid_ds*)&info);
    CHECK(highest >= 0 && info.__used_ids >= 1 && info.shm_tot >= 3 && info.shm_rss >= 1);
    if (on_guest()) CHECK(info.shm_tot == before.shm_tot + 3 && info.shm_rss == before.shm_rss + 1);
    bool found = false;
    for (int i = 0; i <= highest; ++i) {
        struct shmid_ds segment;
        if (shmctl(i, SHM_STAT, &segment) != id) continue;
        found = true;
        CHECK(segment.shm_segsz == 3 * PAGE && segment.shm_nattch == 1);
        CHECK(shmctl(i, SHM_STAT_ANY, &segment) == id);
    }
    CHECK(found);
    CHECK_ERROR(shmctl(0, IPC_INFO, opaque(8)), EFAULT);
    char line[400];
    char wanted[400];
    sysvipc_line("shm", id, line, sizeof(line));
    const struct shmid_ds now = stat_of(id);
    snprintf(wanted, sizeof(wanted), "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld %10ld %10ld %21lu %21lu\n", 0, id,
             0600, 3UL * PAGE, getpid(), getpid(), 1UL, geteuid(), getegid(), geteuid(), getegid(), now.shm_atime, 0L,
             now.shm_ctime, (unsigned long)PAGE, 0UL);
    CHECK(strcmp(line, wanted) == 0);
    CHECK(sysctl_number("kernel/shmmax") == limits.shmmax && sysctl_number("kernel/shmall") == limits.shmall);
    CHECK(sysctl_number("kernel/shmmni") == 4096);
    remove_segment(id);
}

ROWS(vfork_and_threads_share_attachments, "V1,C2") {
    const int id = new_segment(PAGE);
    char* memory = attach(id, 0);
    const pid_t child = vfork();
    if (child == 0) {
        memory[1] = 1;
        _exit(0);
    }
    wait_exit(child, 0);
    // The child had no attachment of its own to give back.
    CHECK(memory[1] == 1 && stat_of(id).shm_nattch == 1);
    remove_segment(id);
}

// Segments in every state; those that are still attached end with the process.
static void use_segments(void) {
    int ids[40];
    for (int i = 0; i < 40; ++i) {
        ids[i] = new_segment(3 * PAGE);
        char* memory = attach(ids[i], 0);
        memory[PAGE] = 1;
        if (i % 3 == 0) CHECK(munmap(memory + PAGE, PAGE) == 0);
        if (i % 2 == 0) CHECK(shmdt(memory) == 0);
        if (i % 5 == 0) CHECK(shmctl(ids[i], SHM_LOCK, NULL) == 0);
    }
    wait_exit(IN_CHILD(for (int i = 0; i < 40; ++i) remove_segment(ids[i])), 0);
    for (int i = 1; i < 40; i += 2) CHECK(stat_of(ids[i]).shm_nattch >= 1);
}

GUEST_ROWS(segments_leave_nothing_behind, "W10,F11") {
    uint64_t before = 0;
    for (int round = 0; round < 30; ++round) {
        if (round == 15) before = free_ram();
        wait_exit(IN_CHILD(use_segments()), 0);
        struct shm_info info;
        CHECK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info) == 0 && info.__used_ids == 0 && info.shm_tot == 0);
    }
    CHECK(free_ram() == before);
}
