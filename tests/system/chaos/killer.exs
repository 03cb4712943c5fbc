defmodule Chaos.Killer do
  @moduledoc "Kills whatever it is told of, a little later."

  alias Chaos.{Books, Os}

  def start(seed), do: Process.register(spawn(fn -> :rand.seed(:exsss, seed) && loop() end), __MODULE__)

  def victim(victim), do: send(__MODULE__, {:victim, victim})

  defp loop do
    receive do
      {:victim, victim} -> Process.send_after(self(), {:kill, victim}, :rand.uniform(200))
      {:kill, victim} -> kill(victim)
    end

    loop()
  end

  defp kill({:os, os_pid}),
    do: Books.count(:os_kills) && spawn(fn -> Books.eventually(fn -> Os.kill(os_pid, Os.child()) end) end)

  # Who traps exits may survive anything else.
  defp kill({:brutally, pid}), do: kill(pid, :kill)
  defp kill(pid), do: kill(pid, Enum.random([:kill, :kill, :shutdown, :chaos]))

  # C++ actors know whoever sends them a signal until it ends.
  defp kill(pid, reason), do: Books.count(:kills) && spawn(fn -> Process.exit(pid, reason) end)
end
