#include "guest/lib/log_buffer.hpp"

#include "guest/lib/spinlock.hpp"

namespace guest {

namespace {

constinit spinlock_t log_lock;
constinit char ring[kLogBufferBytes] = {};
constinit uint64_t log_end = 0;
constinit bool at_line_start = true;

void put(char c) { ring[log_end++ % kLogBufferBytes] = c; }

uint64_t oldest() { return log_end > kLogBufferBytes ? log_end - kLogBufferBytes : 0; }

}  // namespace

void log_buffer_add(LogLevel level, const char* text, size_t length) {
    const spinlock_guard guard(log_lock);
    for (size_t i = 0; i < length; ++i) {
        if (at_line_start) {
            put('<');
            put(static_cast<char>('0' + static_cast<unsigned>(level)));
            put('>');
        }
        put(text[i]);
        at_line_start = text[i] == '\n';
    }
}

log_span log_buffer_span() {
    const spinlock_guard guard(log_lock);
    return {oldest(), log_end};
}

size_t log_buffer_copy(uint64_t from, char* to, size_t bytes) {
    const spinlock_guard guard(log_lock);
    if (from < oldest()) from = oldest();
    size_t copied = 0;
    for (; copied < bytes && from < log_end; ++from) to[copied++] = ring[from % kLogBufferBytes];
    return copied;
}

}  // namespace guest
