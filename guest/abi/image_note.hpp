// An ELF note in the bundled kernel, by which a loader knows it wherever the file lies.
#pragma once

#include <stdint.h>

namespace abi {

inline constexpr char kImageNoteOwner[] = "Forkscope";
// The initrd is a plain cpio archive (newc), and nothing else will do. No description.
inline constexpr uint32_t kImageNotePlainCpio = 1;

}  // namespace abi
