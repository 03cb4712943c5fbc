// Runs a fuzz target over the files of its corpus, where there is no libFuzzer to do so.
//
//   fuzz_NAME_replay FILE_OR_FOLDER...

#include "fuzz.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs_in(const fs::path& path) {
  if (!fs::is_directory(path))
    return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{path})
    files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

void replay(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw std::runtime_error("cannot read " + path.string());
  // On the heap, with nothing behind it: a sanitizer sees a read beyond its end.
  const std::vector<char> input{std::istreambuf_iterator<char>{file}, {}};
  std::fprintf(stderr, "%s\n", path.c_str()); // the last one named is the one that failed
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

} // namespace

int main(int argc, char** argv) try {
  std::size_t count = 0;
  for (const fs::path argument : std::span{argv, static_cast<std::size_t>(argc)}.subspan(1))
    for (const auto& input : inputs_in(argument)) {
      replay(input);
      ++count;
    }
  std::printf("%zu inputs\n", count);
  return count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::fprintf(stderr, "replay: %s\n", error.what());
  return EXIT_FAILURE;
}
