// Text that a file makes up when it is read, as in Linux's seq_file. All of it is made at the first read and
// again whenever somebody reads from the beginning; reads in between go on in what was made then.
//
//   Result<> version_show(seq_file& m) {
//       m.printf("release %s\n", release);
//       return {};
//   }
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "guest/abi/file.hpp"
#include "guest/fs/iov_iter.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/result.hpp"
#include "guest/mm/page.hpp"

namespace guest {

struct file;

class seq_file {
public:
    seq_file() = default;
    seq_file(const seq_file&) = delete;
    seq_file& operator=(const seq_file&) = delete;
    ~seq_file() { clear(); }

    // Append. Without memory nothing more is added, and finish() says so. None of them sleeps. One printf
    // makes at most 511 bytes.
    void write(const void* bytes, size_t count);
    void puts(const char* text);
    void putc(char c) { write(&c, 1); }
    [[gnu::format(printf, 2, 3)]] void printf(const char* format, ...);
    // The bytes of text, those in `escape` as octal escapes (\012).
    void escape(const char* text, const char* escape);
    // Blanks up to `column` of the current line, at least one.
    void pad_to(size_t column);

    [[nodiscard]] size_t size() const { return size_; }
    void clear();
    // NoMem if something could not be added.
    [[nodiscard]] Result<> finish() const;
    // Bytes from pos on; pos moves along. 0 at the end, Fault.
    Result<size_t> copy_out(iov_iter& to, abi::loff_t& pos) const;

private:
    IntrusiveList<page, &page::lru> pages_;  // full but for the last one
    size_t size_ = 0;                        // bytes
    size_t line_ = 0;                        // where the current line begins
    bool out_of_memory_ = false;
};

}  // namespace guest
