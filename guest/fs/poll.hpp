// Waiting for any of several files: each file that is asked registers its wait queue in the poll table.
#pragma once

#include "guest/kernel/wait.hpp"

namespace guest {

struct file;

struct poll_table {
    // Called by poll_wait; null once something was ready, so that no more queues are joined.
    void (*queue)(poll_table& table, file& f, wait_queue_head& head) = nullptr;
};

inline void poll_wait(file& f, wait_queue_head& head, poll_table* table) {
    if (table != nullptr && table->queue != nullptr) table->queue(*table, f, head);
}

}  // namespace guest
