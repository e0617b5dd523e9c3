// Asks a file everything that `forkscope log` can be asked, whatever is in it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "emu/log/reader.hpp"

namespace forkscope::test {

struct Answer {
    std::string question;  // "show --json", "export --to csv"
    std::string error;     // "" if there is none
    std::string output;    // what was printed
    std::string damage;    // as the reader tells it afterwards
    bool json = false;     // the output is meant to be JSON
};

// Every verb as text and as JSON, and every form of export, which write into `directory`.
void ask_every_verb(const std::filesystem::path& log, const std::filesystem::path& directory,
                    const std::function<void(const Answer&)>& answered);

// What is wrong with an answer, whatever the file is: an error of several lines, JSON that is none, damage
// that is not told; "" if nothing is.
[[nodiscard]] std::string fault_of(const Answer& answer);

}  // namespace forkscope::test
