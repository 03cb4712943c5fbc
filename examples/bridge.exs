# An Elixir process that talks to an OS process and to a C++ actor, through one port.
#
#     PENNINGD=build/release/examples/counter_port mix run ../examples/bridge.exs     (in elixir/)

IO.puts("Elixir: opening `cat` through #{Path.basename(Penning.executable_path())}")
{:ok, cat} = Penning.open("cat", [])
send(cat, {self(), {:command, "hello from the BEAM\n"}})

receive do
  {^cat, {:data, data}} -> IO.write("cat #{inspect(Penning.os_pid(cat))} says: #{data}")
end

send(cat, {self(), :close})

receive do
  {^cat, :closed} -> IO.puts("cat is closed")
end

counter = Penning.whereis("counter")
IO.puts("C++ actor `counter`: #{inspect(counter)}")

for amount <- [1, 20, 300] do
  IO.puts("  add #{amount} -> #{GenServer.call(counter, {:add, amount})}")
end
