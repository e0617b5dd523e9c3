// The kernel command line.
#include "guest/boot/cmdline.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/drivers/vt.hpp"
#include "guest/kernel/check.hpp"
#include "guest/lib/printk.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/fault_inject.hpp"
#include "guest/mm/shared_tables.hpp"

namespace guest {

namespace {

constexpr size_t kMaxLength = 2048;
constinit char saved[kMaxLength];
constinit char copy[kMaxLength];
constinit CommandLine parsed;

// Cuts the next word off `at`; null at the end. Quotes keep blanks together and go away.
char* next_word(char*& at) {
    while (*at == ' ') ++at;
    if (*at == '\0') return nullptr;
    char* word = at;
    char* out = at;
    bool quoted = false;
    for (; *at != '\0' && (quoted || *at != ' '); ++at) {
        if (*at == '"') {
            quoted = !quoted;
        } else {
            *out++ = *at;
        }
    }
    if (*at != '\0') ++at;
    *out = '\0';
    return word;
}

// What follows `name` if the word begins with it.
const char* value_of(const char* word, const char* name) {
    const size_t length = strlen(name);
    return strncmp(word, name, length) == 0 ? word + length : nullptr;
}

// NAME or NAME,N.
void apply_fail_step(const char* value) {
    size_t length = 0;
    while (value[length] != '\0' && value[length] != ',') ++length;
    const char* step = find_fork_step(value, length);
    const uint64_t every = value[length] == ',' ? simple_strtoull(value + length + 1, nullptr, 10) : 1;
    if (step == nullptr || every == 0) {
        pr_warn("fail_step=%s: expected a step of copy_process, such as copy_mm, and a number above 0\n",
                value);
        return;
    }
    set_fail_step(step, every);
}

void apply(const char* word) {
    if (const char* value = value_of(word, "init=")) {
        parsed.init = value;
    } else if (const char* level = value_of(word, "loglevel=")) {
        set_console_loglevel(static_cast<unsigned>(simple_strtoull(level, nullptr, 10)));
    } else if (const char* console = value_of(word, "console=")) {
        // The last one is /dev/console; a serial port is, without any.
        vt_want_console(strcmp(console, "tty0") == 0 || strcmp(console, "tty1") == 0);
    } else if (strcmp(word, "quiet") == 0) {
        set_console_loglevel(static_cast<unsigned>(LogLevel::Warning));
    } else if (const char* way = value_of(word, "fork=")) {
        set_fork_shares_tables(strcmp(way, "shared-tables") == 0);
    } else if (const char* step = value_of(word, "fail_step=")) {
        apply_fail_step(step);
    } else if (strcmp(word, "check") == 0) {
        set_check_every(1);
    } else if (const char* ends = value_of(word, "check=")) {
        set_check_every(simple_strtoull(ends, nullptr, 10));
    } else if (strcmp(word, "announce=off") == 0) {
        event_port_stay_silent();
    } else if (const char* bug = value_of(word, "bug=")) {
        if (!set_bug(bug)) pr_warn("bug=%s: no bug has this name\n", bug);
    } else if (const char* nth = value_of(word, "failslab=")) {
        set_failslab(simple_strtoull(nth, nullptr, 10));
    }
}

}  // namespace

const CommandLine& parse_command_line(const char* text) {
    strlcpy(saved, text, sizeof(saved));
    strlcpy(copy, text, sizeof(copy));
    char* at = copy;
    unsigned count = 1;  // argv[0] is the path
    bool for_init = false;
    while (char* word = next_word(at)) {
        if (for_init) {
            if (count <= kMaxInitArgs) parsed.argv[count++] = word;
        } else if (strcmp(word, "--") == 0) {
            for_init = true;
        } else {
            apply(word);
        }
    }
    return parsed;
}

const char* saved_command_line() { return saved; }
const CommandLine& command_line() { return parsed; }

}  // namespace guest
