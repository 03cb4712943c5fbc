defmodule Penning.Case do
  @moduledoc "What the tests share. Nothing in it sleeps for the sake of synchronisation."

  use ExUnit.CaseTemplate

  using do
    quote do
      import Penning.Case
    end
  end

  @doc "Whether a process runs. One that has ended and is not reaped yet (a zombie) does not."
  def running?(os_pid) do
    case File.read("/proc/#{os_pid}/stat") do
      {:ok, stat} ->
        # The second field is the program's name in brackets and may contain anything.
        [_, fields] = String.split(stat, ~r/.*\) /s, parts: 2)
        String.first(fields) not in ["Z", "X"]

      {:error, _} ->
        false
    end
  end

  @doc "Waits for what no event tells of. A bounded poll."
  def eventually(milliseconds \\ 5_000, fun) do
    deadline = System.monotonic_time(:millisecond) + milliseconds
    poll(fun, deadline)
  end

  defp poll(fun, deadline) do
    cond do
      fun.() ->
        true

      System.monotonic_time(:millisecond) > deadline ->
        false

      true ->
        receive do
        after
          5 -> poll(fun, deadline)
        end
    end
  end

  @doc "All of stdout and stderr until the end, which must be told to a trapping owner."
  def collect(ps, data \\ [], error \\ []) do
    receive do
      {^ps, {:data, bytes}} -> collect(ps, [data, bytes], error)
      {^ps, {:error, bytes}} -> collect(ps, data, [error, bytes])
      {:EXIT, ^ps, reason} -> {IO.iodata_to_binary(data), IO.iodata_to_binary(error), reason}
    after
      60_000 -> raise "no end of #{inspect(ps)}"
    end
  end

  @doc "The next whole line of stdout."
  def line(ps, got \\ "") do
    if String.ends_with?(got, "\n") do
      String.trim_trailing(got, "\n")
    else
      receive do
        {^ps, {:data, bytes}} -> line(ps, got <> bytes)
      after
        10_000 -> raise "no line from #{inspect(ps)}"
      end
    end
  end

  def sh(script, opts \\ []), do: Penning.open("/bin/sh", ["-c", script], opts)

  @doc "So many lists within each other."
  def nested(depth), do: Enum.reduce(1..depth, :innermost, fn _, inner -> [inner] end)

  @doc "A path where nothing is, and nothing is left."
  def temporary_file do
    name = "penning-#{System.unique_integer([:positive])}-#{System.pid()}"
    path = Path.join(System.tmp_dir!(), name)
    ExUnit.Callbacks.on_exit(fn -> File.rm(path) end)
    path
  end

  def kill(os_pid, signal \\ "KILL"),
    do: {_, 0} = System.cmd("/bin/kill", ["-#{signal}", "#{os_pid}"], stderr_to_stdout: true)

  @doc "Options of a port program made of `Penning.FakePort`, which behaves as told."
  def fake_port(behaviour) do
    paths = for app <- [:elixir, :penning], do: :code.lib_dir(app, :ebin)
    run = ["-noinput", "-run", "Elixir.Penning.FakePort", "main", behaviour, "-pa"]

    [
      executable: Path.join(:code.root_dir(), "bin/erl"),
      args: run ++ Enum.map(paths, &to_string/1)
    ]
  end
end
