// Writes so many bytes, the letters a to z over and over, as fast as it can: flood 1000000 [fd]
#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>

int main(int argc, char** argv) {
  std::array<char, 26 * 2520> letters; // just under 64 KiB
  for (std::size_t i = 0; i < letters.size(); ++i)
    letters[i] = static_cast<char>('a' + i % 26);
  long long total = std::atoll(argv[1]);
  int fd = argc > 2 ? std::atoi(argv[2]) : 1;
  for (long long done = 0; done < total;) {
    auto offset = static_cast<std::size_t>(done % 26);
    auto size = std::min<long long>(total - done, static_cast<long long>(letters.size() - offset));
    ssize_t count = ::write(fd, letters.data() + offset, static_cast<std::size_t>(size));
    if (count < 0)
      return 1;
    done += count;
  }
  return 0;
}
