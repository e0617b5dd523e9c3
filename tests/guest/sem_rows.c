// System V semaphores: sets, their values, operations and who waits for them.
#include "sem_rows.h"

ROWS(sets_are_made_and_found, "F8") {
    const key_t key = own_key(1);
    CHECK_ERROR(semget(key, 1, 0600), ENOENT);
    const int id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0);
    CHECK(semget(key, 0, 0) == id && semget(key, 3, IPC_CREAT) == id && semget(key, 2, 0600) == id);
    CHECK_ERROR(semget(key, 3, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK_ERROR(semget(key, 4, 0), EINVAL);
    CHECK_ERROR(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    CHECK_ERROR(semget(IPC_PRIVATE, -1, 0600), EINVAL);
    CHECK_ERROR(semget(IPC_PRIVATE, 32001, 0600), EINVAL);

    struct semid_ds info;
    memset(&info, 0xff, sizeof(info));
    CHECK(semctl(id, 0, IPC_STAT, &info) == 0);
    CHECK(info.sem_perm.__key == key && info.sem_perm.mode == 0640);
    CHECK(info.sem_perm.uid == geteuid() && info.sem_perm.cuid == geteuid());
    CHECK(info.sem_perm.gid == getegid() && info.sem_perm.cgid == getegid());
    CHECK(info.sem_nsems == 3 && info.sem_otime == 0);
    CHECK(labs(info.sem_ctime - time(NULL)) < 10);
    remove_set(id);
    CHECK_ERROR(semctl(id, 0, IPC_STAT, &info), EINVAL);
    CHECK_ERROR(op(id, 0, 1, 0), EINVAL);
    CHECK_ERROR(semget(key, 0, 0), ENOENT);
}

ROWS(values_are_set_and_read, "F8") {
    const int id = new_set(4);
    for (int i = 0; i < 4; ++i) CHECK(value_of(id, i) == 0 && semctl(id, i, GETPID) == 0);
    CHECK(semctl(id, 1, SETVAL, 7) == 0);
    CHECK(value_of(id, 1) == 7 && semctl(id, 1, GETPID) == getpid());
    unsigned short all[4] = {1, 2, 32767, 4};
    CHECK(semctl(id, 0, SETALL, all) == 0);
    unsigned short got[5] = {9, 9, 9, 9, 9};
    CHECK(semctl(id, 77, GETALL, got) == 0);
    CHECK(memcmp(all, got, sizeof(all)) == 0 && got[4] == 9);
    CHECK(semctl(id, 3, GETPID) == getpid());

    CHECK_ERROR(semctl(id, 4, GETVAL), EINVAL);
    CHECK_ERROR(semctl(id, -1, GETVAL), EINVAL);
    CHECK_ERROR(semctl(id, 4, SETVAL, 1), EINVAL);
    CHECK_ERROR(semctl(id, 0, SETVAL, -1), ERANGE);
    CHECK_ERROR(semctl(id, 0, SETVAL, 32768), ERANGE);
    all[1] = 32768;
    CHECK_ERROR(semctl(id, 0, SETALL, all), ERANGE);
    CHECK(value_of(id, 0) == 1);
    CHECK_ERROR(semctl(id, 0, GETALL, opaque(8)), EFAULT);
    CHECK_ERROR(semctl(id, 0, SETALL, opaque(8)), EFAULT);
    CHECK_ERROR(semctl(id, 0, 99), EINVAL);
    CHECK_ERROR(semctl(-1, 0, GETVAL), EINVAL);
    CHECK_ERROR(semctl(id, 0, IPC_STAT, opaque(8)), EFAULT);
    CHECK_ERROR(semctl(id, 0, IPC_SET, opaque(8)), EFAULT);
    remove_set(id);
}

ROWS(several_operations_are_one, "F8") {
    const int id = new_set(3);
    struct sembuf three[3] = {{0, 2, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
    CHECK_ERROR(semop(id, three, 3), EAGAIN);
    CHECK(value_of(id, 0) == 0 && value_of(id, 1) == 0);
    CHECK(semctl(id, 2, SETVAL, 1) == 0);
    CHECK(semop(id, three, 3) == 0);
    CHECK(value_of(id, 0) == 2 && value_of(id, 1) == 1 && value_of(id, 2) == 0);
    // One after the other, also on one semaphore.
    struct sembuf same[3] = {{0, -2, 0}, {0, 0, 0}, {0, 5, 0}};
    CHECK(semop(id, same, 3) == 0 && value_of(id, 0) == 5);
    struct sembuf zero[2] = {{0, -4, 0}, {0, 0, IPC_NOWAIT}};
    CHECK_ERROR(semop(id, zero, 2), EAGAIN);
    CHECK(value_of(id, 0) == 5);
    struct sembuf over[2] = {{0, 1, 0}, {1, 32767, 0}};
    CHECK_ERROR(semop(id, over, 2), ERANGE);
    CHECK(value_of(id, 0) == 5 && value_of(id, 1) == 1);

    struct semid_ds info;
    CHECK(semctl(id, 0, IPC_STAT, &info) == 0 && labs(info.sem_otime - time(NULL)) < 10);
    static struct sembuf many[501];
    for (int i = 0; i < 501; ++i) many[i].sem_num = 2;
    CHECK(semop(id, many, 500) == 0);
    CHECK_ERROR(semop(id, many, 501), E2BIG);
    CHECK_ERROR(semop(id, many, 0), EINVAL);
    CHECK_ERROR(semop(-1, many, 1), EINVAL);
    CHECK_ERROR(op(id, 3, 1, 0), EFBIG);
    CHECK_ERROR(semop(id, opaque(8), 1), EFAULT);
    remove_set(id);
}

ROWS(waiters_go_on_in_order, "F8") {
    const int id = new_set(2);
    pid_t waiters[3];
    for (int i = 0; i < 3; ++i) {
        waiters[i] = IN_CHILD(CHECK(op(id, 0, -(i + 1), 0) == 0));
        await_count(id, 0, GETNCNT, i + 1);
    }
    CHECK(semctl(id, 0, GETZCNT) == 0 && semctl(id, 1, GETNCNT) == 0);
    // One for the first; then three for the third, past the second, and two for the second.
    CHECK(op(id, 0, 1, 0) == 0);
    wait_exit(waiters[0], 0);
    CHECK(semctl(id, 0, GETPID) == waiters[0]);
    CHECK(op(id, 0, 5, 0) == 0);
    wait_exit(waiters[1], 0);
    wait_exit(waiters[2], 0);
    CHECK(value_of(id, 0) == 0);

    CHECK(semctl(id, 0, SETVAL, 1) == 0);
    const pid_t for_zero = IN_CHILD(CHECK(op(id, 0, 0, 0) == 0));
    await_count(id, 0, GETZCNT, 1);
    CHECK(semctl(id, 0, GETNCNT) == 0);
    CHECK(op(id, 0, -1, 0) == 0);
    wait_exit(for_zero, 0);
    remove_set(id);
}

ROWS(a_value_set_wakes_waiters, "F8") {
    const int id = new_set(2);
    pid_t child = IN_CHILD({
        struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
        CHECK(semop(id, both, 2) == 0);
    });
    await_count(id, 0, GETNCNT, 1);
    CHECK(semctl(id, 0, SETVAL, 1) == 0);
    // Now it waits for the other one.
    await_count(id, 1, GETNCNT, 1);
    CHECK(semctl(id, 0, GETNCNT) == 0 && value_of(id, 0) == 1);
    unsigned short all[2] = {3, 1};
    CHECK(semctl(id, 0, SETALL, all) == 0);
    wait_exit(child, 0);
    CHECK(value_of(id, 0) == 2 && value_of(id, 1) == 0);
    // A waiter whose operations cannot come true any more is told so.
    child = IN_CHILD({
        struct sembuf both[2] = {{1, -1, 0}, {0, 30000, 0}};
        CHECK_ERROR(semop(id, both, 2), ERANGE);
    });
    await_count(id, 1, GETNCNT, 1);
    CHECK(semctl(id, 0, SETVAL, 30000) == 0);
    CHECK(op(id, 1, 1, 0) == 0);
    wait_exit(child, 0);
    remove_set(id);
}

ROWS(waits_end, "F8") {
    const int id = new_set(1);
    struct sembuf take = {0, -1, 0};
    struct timespec soon = {0, 50 * 1000 * 1000};
    struct timespec bad = {0, 1000 * 1000 * 1000};
    CHECK_ERROR(semtimedop(id, &take, 1, &soon), EAGAIN);
    CHECK_ERROR(semtimedop(id, &take, 1, &bad), EINVAL);
    bad = (struct timespec){-1, 0};
    CHECK_ERROR(semtimedop(id, &take, 1, &bad), EINVAL);
    bad = (struct timespec){0, 0};
    CHECK_ERROR(semtimedop(id, &take, 1, &bad), EAGAIN);
    CHECK_ERROR(semtimedop(id, &take, 1, opaque(8)), EFAULT);
    CHECK(semctl(id, 0, GETNCNT) == 0);

    const struct meeting meeting = meeting_open();
    // Never restarted.
    pid_t child = IN_CHILD({
        catch_signal(SIGUSR1, SA_RESTART);
        meeting_tell(meeting);
        CHECK_ERROR(op(id, 0, -1, 0), EINTR);
        CHECK(semctl(id, 0, GETNCNT) == 0);
    });
    meeting_await(meeting);
    await_count(id, 0, GETNCNT, 1);
    CHECK(kill(child, SIGUSR1) == 0);
    wait_exit(child, 0);
    // Removing the set ends the wait.
    child = IN_CHILD(CHECK_ERROR(op(id, 0, -1, SEM_UNDO), EIDRM));
    await_count(id, 0, GETNCNT, 1);
    remove_set(id);
    wait_exit(child, 0);
}

ROWS(rights_on_sets, "F8") {
    if (geteuid() != 0) return;
    const int id = new_set(1);
    CHECK(semctl(id, 0, SETVAL, 1) == 0);
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  struct semid_ds info;
                  CHECK_ERROR(semctl(id, 0, IPC_STAT, &info), EACCES);
                  CHECK_ERROR(semctl(id, 0, GETVAL), EACCES);
                  CHECK_ERROR(op(id, 0, 1, 0), EACCES);
                  CHECK_ERROR(semctl(id, 0, SETVAL, 1), EACCES);
                  CHECK_ERROR(semctl(id, 0, IPC_RMID), EPERM);
                  CHECK_ERROR(semctl(id, 0, IPC_SET, &info), EPERM);
              }),
              0);
    struct semid_ds info;
    CHECK(semctl(id, 0, IPC_STAT, &info) == 0);
    info.sem_perm.mode = 0704;
    CHECK(semctl(id, 0, IPC_SET, &info) == 0);
    // Others may read: wait for zero, but not change.
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK(semctl(id, 0, GETVAL) == 1);
                  CHECK_ERROR(op(id, 0, 0, IPC_NOWAIT), EAGAIN);
                  CHECK_ERROR(op(id, 0, 1, 0), EACCES);
              }),
              0);
    info.sem_perm.uid = NOBODY;
    info.sem_perm.gid = NOBODY;
    CHECK(semctl(id, 0, IPC_SET, &info) == 0);
    CHECK(semctl(id, 0, IPC_STAT, &info) == 0);
    CHECK(info.sem_perm.uid == NOBODY && info.sem_perm.cuid == 0 && info.sem_perm.mode == 0704);
    // The owner may do everything, remove it even.
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK(op(id, 0, 1, 0) == 0);
                  CHECK(semctl(id, 0, IPC_RMID) == 0);
              }),
              0);
    CHECK_ERROR(semctl(id, 0, GETVAL), EINVAL);
}

ROWS(the_system_counts_sets, "F8") {
    struct seminfo info;
    CHECK(semctl(0, 0, IPC_INFO, &info) >= 0);
    CHECK(info.semmni == 32000 && info.semmsl == 32000 && info.semmns == 1024000000 && info.semopm == 500);
    CHECK(info.semvmx == 32767 && info.semaem == 32767 && info.semume == 500);
    const int id = new_set(3);
    struct seminfo now;
    const int highest = semctl(0, 0, SEM_INFO, &now);
    CHECK(highest >= 0 && now.semusz >= 1 && now.semaem >= 3);
    bool found = false;
    for (int i = 0; i <= highest; ++i) {
        struct semid_ds set;
        const int its_id = semctl(i, 0, SEM_STAT, &set);
        if (its_id != id) continue;
        found = true;
        CHECK(set.sem_nsems == 3);
        CHECK(semctl(i, 0, SEM_STAT_ANY, &set) == id);
    }
    CHECK(found);
    CHECK_ERROR(semctl(0, 0, IPC_INFO, opaque(8)), EFAULT);
    char line[400];
    char wanted[400];
    sysvipc_line("sem", id, line, sizeof(line));
    struct semid_ds set;
    CHECK(semctl(id, 0, IPC_STAT, &set) == 0);
    snprintf(wanted, sizeof(wanted), "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", 0, id, 0600, 3, geteuid(), getegid(),
             geteuid(), getegid(), 0L, set.sem_ctime);
    CHECK(strcmp(line, wanted) == 0);
    CHECK(sysctl_number("kernel/sem") == 32000);
    remove_set(id);
}

GUEST_ROWS(sets_leave_nothing_behind, "W10,F8") {
    uint64_t before = 0;
    for (int round = 0; round < 30; ++round) {
        if (round == 15) before = free_ram();
        int ids[60];
        for (int i = 0; i < 60; ++i) ids[i] = new_set(50);
        const pid_t child = IN_CHILD({
            for (int i = 0; i < 60; ++i) CHECK(op(ids[i], 7, 1, SEM_UNDO) == 0);
        });
        const pid_t owes = IN_CHILD({
            for (int i = 0; i < 60; i += 2) CHECK(op(ids[i], 3, 1, SEM_UNDO) == 0);
            for (int i = 0; i < 60; ++i) remove_set(ids[i]);
        });
        wait_exit(child, 0);
        wait_exit(owes, 0);
    }
    CHECK(free_ram() == before);
}
