// A user's program: something of each layer, from the installed package.

#include <penning/actors/runtime.hpp>
#include <penning/bridge/etf.hpp>
#include <penning/io/context.hpp>
#include <penning/supervision/supervisor.hpp>

#include <iostream>

int main() {
  penning::actors::runtime runtime;
  std::cout << "containment: " << runtime.io().containment() << '\n';

  const penning::supervision::supervisor_spec spec{{.intensity = 3}, {}};
  penning::supervision::validate(spec);

  const penning::actors::term sent{"hello"};
  const auto bytes = penning::bridge::etf::encode(sent);
  const auto received = penning::bridge::etf::decode(bytes);
  return received && received.value == sent ? 0 : 1;
}
