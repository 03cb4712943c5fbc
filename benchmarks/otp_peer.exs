# What OTP and Elixir do with the work of supervision.cpp:
#
#     elixir otp_peer.exs restarts COUNT
#     elixir otp_peer.exs simple_one_for_one|dynamic_supervisor start|which|stop COUNT
#
# Prints the operations, the seconds that they took, and the bytes that the children take.
# Reports are off, as they are on the other side.

defmodule Peer.Child do
  def start_link(driver, _more \\ []) do
    :proc_lib.start_link(__MODULE__, :init, [driver])
  end

  def init(driver) do
    :proc_lib.init_ack({:ok, self()})
    if driver, do: send(driver, {:up, self()})
    loop()
  end

  defp loop do
    receive do
      _ -> loop()
    end
  end
end

defmodule Peer do
  def init({flags, children}), do: {:ok, {flags, children}}

  def restarts(count) do
    child = %{id: :a, start: {Peer.Child, :start_link, [self()]}}
    flags = %{intensity: 1_000_000, period: 1}
    {:ok, _} = :supervisor.start_link(__MODULE__, {flags, [child]})
    first = up()
    {seconds, _} = timed(fn -> restart(first, count) end)
    {count, seconds, 0}
  end

  defp restart(_, 0), do: :ok

  defp restart(child, count) do
    Process.exit(child, :kill)
    restart(up(), count - 1)
  end

  defp up do
    receive do
      {:up, pid} -> pid
    end
  end

  def children(kind, phase, count) do
    before = :erlang.memory(:total)
    {supervisor, start} = dynamic(kind)
    {started, _} = timed(fn -> repeat(start, count) end)
    :erlang.garbage_collect(supervisor)
    bytes = :erlang.memory(:total) - before

    case phase do
      "start" ->
        {count, started, bytes}

      "which" ->
        {seconds, list} = timed(fn -> :supervisor.which_children(supervisor) end)
        ^count = length(list)
        {count, seconds, bytes}

      "stop" ->
        Process.flag(:trap_exit, true)

        {seconds, _} =
          timed(fn ->
            Process.exit(supervisor, :shutdown)

            receive do
              {:EXIT, ^supervisor, _} -> :ok
            end
          end)

        {count, seconds, bytes}
    end
  end

  defp dynamic("simple_one_for_one") do
    child = %{id: :a, start: {Peer.Child, :start_link, [nil]}}
    flags = %{strategy: :simple_one_for_one}
    {:ok, supervisor} = :supervisor.start_link(__MODULE__, {flags, [child]})
    {supervisor, fn -> {:ok, _} = :supervisor.start_child(supervisor, []) end}
  end

  defp dynamic("dynamic_supervisor") do
    child = %{id: :a, start: {Peer.Child, :start_link, [nil]}}
    {:ok, supervisor} = DynamicSupervisor.start_link(strategy: :one_for_one)
    {supervisor, fn -> {:ok, _} = DynamicSupervisor.start_child(supervisor, child) end}
  end

  defp repeat(_, 0), do: :ok

  defp repeat(action, count) do
    action.()
    repeat(action, count - 1)
  end

  defp timed(action) do
    start = System.monotonic_time()
    result = action.()
    taken = System.monotonic_time() - start
    {System.convert_time_unit(taken, :native, :nanosecond) / 1.0e9, result}
  end
end

:logger.set_primary_config(:level, :none)

{count, seconds, bytes} =
  case System.argv() do
    ["restarts", count] -> Peer.restarts(String.to_integer(count))
    [kind, phase, count] -> Peer.children(kind, phase, String.to_integer(count))
  end

IO.puts("#{count} #{seconds} #{bytes}")
