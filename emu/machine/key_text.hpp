// Text as keys of a US keyboard.
#pragma once

#include <string_view>
#include <vector>

#include "devices/i8042_keyboard.hpp"
#include "emu/base/result.hpp"
#include "emu/base/units.hpp"

namespace forkscope::machine {

// A key that goes down or up, or a while in which nothing is typed.
struct KeyStroke {
    devices::KeyCode code = 0;  // 0: only a wait
    devices::KeyMotion motion = devices::KeyMotion::Press;
    VirtualNs wait = 0;
    bool ends_line = false;  // the key that makes a guest work: Enter goes up
    bool operator==(const KeyStroke&) const = default;
};

// Characters are typed as they are. \n Enter, \t Tab, \b Backspace, \e Escape, \\ and \< themselves.
// <NAME> is a key by QEMU's name for it, <NAME-NAME> some at once, as in <up>, <f1>, <ctrl-c>,
// <ctrl-alt-delete>; <wait> and <wait SECONDS> let virtual time pass. The error says where the text is wrong.
[[nodiscard]] Result<std::vector<KeyStroke>> parse_keys(std::string_view text);

// The keys of plain text, where nothing has a meaning of its own but \n and \t. What is on no key is left
// out.
[[nodiscard]] std::vector<KeyStroke> keys_of_text(std::string_view text);

}  // namespace forkscope::machine
