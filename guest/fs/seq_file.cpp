// Text that a file makes up when it is read.
#include "guest/fs/seq_file.hpp"

#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr size_t kPrintfMax = 512;

char* bytes_of(const page& frame) { return static_cast<char*>(page_address(&frame)); }

}  // namespace

void seq_file::write(const void* bytes, size_t count) {
    const auto* from = static_cast<const char*>(bytes);
    while (count > 0 && !out_of_memory_) {
        const size_t used = size_ % kPageSize;
        if (used == 0) {
            page* frame = alloc_page(FrameUse::Other);
            if (frame == nullptr) {
                out_of_memory_ = true;
                return;
            }
            pages_.push_back(*frame);
        }
        const size_t part = count < kPageSize - used ? count : kPageSize - used;
        memcpy(bytes_of(*pages_.back()) + used, from, part);
        for (size_t i = part; i > 0; --i) {
            if (from[i - 1] != '\n') continue;
            line_ = size_ + i;
            break;
        }
        size_ += part;
        from += part;
        count -= part;
    }
}

void seq_file::puts(const char* text) { write(text, strlen(text)); }

void seq_file::printf(const char* format, ...) {
    char text[kPrintfMax];
    va_list args;
    va_start(args, format);
    const size_t length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    write(text, length < sizeof(text) ? length : sizeof(text) - 1);
}

void seq_file::escape(const char* text, const char* escape) {
    for (; *text != '\0'; ++text) {
        if (strchr(escape, *text) != nullptr) {
            printf("\\%03o", static_cast<unsigned>(static_cast<uint8_t>(*text)));
        } else {
            putc(*text);
        }
    }
}

void seq_file::pad_to(size_t column) {
    do {
        putc(' ');
    } while (!out_of_memory_ && size_ - line_ < column);
}

void seq_file::clear() {
    while (page* frame = pages_.pop_front()) put_page(frame);
    size_ = 0;
    line_ = 0;
    out_of_memory_ = false;
}

Result<> seq_file::finish() const {
    if (out_of_memory_) return Errno::NoMem;
    return {};
}

Result<size_t> seq_file::copy_out(iov_iter& to, abi::loff_t& pos) const {
    const auto start = static_cast<uint64_t>(pos);
    if (start >= size_ || to.count() == 0) return size_t{0};
    const page* frame = pages_.front();
    for (uint64_t skip = start / kPageSize; skip > 0; --skip) frame = pages_.next(*frame);
    size_t at = start;
    while (at < size_ && to.count() != 0) {
        const size_t offset = at % kPageSize;
        const size_t room = kPageSize - offset < size_ - at ? kPageSize - offset : size_ - at;
        const size_t wanted = room < to.count() ? room : to.count();
        const size_t moved = to.copy_to(bytes_of(*frame) + offset, wanted);
        at += moved;
        if (moved < wanted) break;
        frame = pages_.next(*frame);
    }
    if (at == start) return Errno::Fault;
    pos = static_cast<abi::loff_t>(at);
    return at - start;
}

}  // namespace guest
