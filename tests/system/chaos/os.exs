defmodule Chaos.Os do
  @moduledoc "OS processes, by what stands in their environment: whose BEAM's, and which port's children."

  def beam(mark \\ System.fetch_env!("PENNING_CHAOS")), do: "PENNING_CHAOS=#{mark} "
  def child, do: "PENNING_CHAOS_CHILD=#{System.fetch_env!("PENNING_CHAOS")}-"
  def child(port), do: child() <> "#{port} "

  @doc "The variable that children have besides."
  def env(port), do: port |> child() |> String.trim() |> String.split("=") |> List.to_tuple()

  def marked(mark) do
    for dir <- Path.wildcard("/proc/[0-9]*"), environment(dir) =~ mark, do: Path.basename(dir)
  end

  @doc "False if that is not known yet: within execve(2) a process has no environment either."
  def kill(os_pid, mark) do
    case environment("/proc/#{os_pid}") do
      "" -> not File.exists?("/proc/#{os_pid}")
      other -> kill_marked(other =~ mark, os_pid)
    end
  end

  # Of a pid that has been used again the mark is another one, if it has any.
  defp kill_marked(false, _), do: true
  defp kill_marked(true, os_pid), do: {_, _} = System.cmd("kill", ["-9", "#{os_pid}"], stderr_to_stdout: true)

  @doc "What is left when something has been killed goes within two seconds, and a wait for the processor."
  def gone!(whose, left) do
    began = System.monotonic_time(:millisecond)
    gone? = Chaos.Books.eventually(fn -> left.() == [] end, began + 5_000)
    Chaos.Books.slowest(System.monotonic_time(:millisecond) - began)
    if not gone?, do: Chaos.Books.fault("outlived #{whose}: " <> describe(left.()))
  end

  def describe(pids), do: Enum.map_join(pids, ", ", &"#{&1} (#{read("/proc/#{&1}/cmdline")})")

  @doc "Not those of control groups that are kept for the next children: there are at most as many."
  def descriptors(os_pid) do
    for fd <- File.ls!("/proc/#{os_pid}/fd"),
        {:ok, target} <- [File.read_link("/proc/#{os_pid}/fd/#{fd}")],
        not (target =~ "/penning-"),
        do: target
  end

  def memory(os_pid) do
    [_, kib] = Regex.run(~r/VmRSS:\s+(\d+)/, File.read!("/proc/#{os_pid}/status"))
    String.to_integer(kib)
  end

  defp environment(dir), do: read(Path.join(dir, "environ"))

  defp read(path) do
    case File.read(path) do
      {:ok, text} -> String.replace(text, <<0>>, " ")
      {:error, _} -> ""
    end
  end
end
