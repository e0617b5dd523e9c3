// Threads that take no signals: they are for the program's main thread.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace forkscope {

template <typename Body>
std::thread start_quiet_thread(Body&& body) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::forward<Body>(body));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace forkscope
