// A user's program that needs the ground floor only.

#include <penning/io/context.hpp>

#include <iostream>

int main() {
  penning::io::context host;
  std::cout << "containment: " << host.containment() << '\n';
}
