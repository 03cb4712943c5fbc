#include <penning/io/guardian_image.hpp>

#include <penning/io/pipes.hpp>

#include <sys/mman.h>

#include <cerrno>

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

unique_fd open_guardian_image() {
  unsigned executable = 0x10; // MFD_EXEC, since Linux 6.3; EINVAL before
  unique_fd file(::memfd_create("penning-guardian", MFD_CLOEXEC | executable));
  if (!file && errno == EINVAL)
    file = unique_fd(::memfd_create("penning-guardian", MFD_CLOEXEC));
  auto bytes = guardian_image();
  if (file && ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    file.reset();
  if (file && keep_off_stdio(file))
    file.reset();
  return file;
}

} // namespace penning::io
