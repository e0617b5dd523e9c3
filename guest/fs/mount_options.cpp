// Taking an option string apart.
#include "guest/fs/mount_options.hpp"

#include "guest/lib/string.hpp"

namespace guest {

Result<mount_options> mount_options::parse(const char* data) {
    const size_t bytes = data != nullptr ? strlen(data) : 0;
    KBuffer text = TRY(KBuffer::allocate(bytes + 1));
    if (bytes != 0) memcpy(text.data(), data, bytes);
    text.data()[bytes] = '\0';
    return mount_options(std::move(text));
}

bool mount_options::next() {
    while (*rest_ == ',') ++rest_;
    if (*rest_ == '\0') return false;
    char* at = rest_;
    key_ = at;
    value_ = nullptr;
    for (; *at != '\0' && *at != ','; ++at) {
        if (*at != '=' || value_ != nullptr) continue;
        *at = '\0';
        value_ = at + 1;
    }
    rest_ = at;
    if (*at == ',') {
        *at = '\0';
        ++rest_;
    }
    return true;
}

bool mount_options::is(const char* key) const { return strcmp(key_, key) == 0; }

Result<uint64_t> mount_options::number(unsigned base) const {
    if (value_ == nullptr || *value_ == '\0') return Errno::Inval;
    const char* end;
    const uint64_t value = simple_strtoull(value_, &end, base);
    if (end == value_ || *end != '\0') return Errno::Inval;
    return value;
}

Result<uint64_t> mount_options::size(uint64_t whole) const {
    if (value_ == nullptr || *value_ == '\0') return Errno::Inval;
    const char* end;
    const uint64_t value = simple_strtoull(value_, &end, 10);
    if (end == value_) return Errno::Inval;
    if (*end == '\0') return value;
    if (end[1] != '\0') return Errno::Inval;
    if (*end == '%') return whole / 100 * value;
    constexpr char kSuffixes[] = "kmgt";
    const char* suffix = strchr(kSuffixes, *end | 0x20);
    if (suffix == nullptr) return Errno::Inval;
    return value << 10 * (suffix - kSuffixes + 1);
}

}  // namespace guest
