#include <penning/io/guardian_image.hpp>

// The whole program, as built, in the read-only data: so a program that links the library has the
// guardian with it wherever it is copied, and none has to be found at run time.
asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".hidden penning_guardian_begin\n"
    ".hidden penning_guardian_end\n"
    ".globl penning_guardian_begin\n"
    ".globl penning_guardian_end\n"
    "penning_guardian_begin:\n"
    ".incbin \"" PENNING_GUARDIAN_FILE "\"\n"
    "penning_guardian_end:\n"
    ".popsection\n");

extern "C" const char penning_guardian_begin[], penning_guardian_end[];

namespace penning::io {

std::string_view guardian_image() noexcept {
  return {penning_guardian_begin, penning_guardian_end};
}

} // namespace penning::io
