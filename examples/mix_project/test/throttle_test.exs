defmodule ThrottleTest do
  use ExUnit.Case

  doctest Throttle

  # A program for each test.
  setup do
    :ok = Application.stop(:throttle)
    :ok = Application.start(:throttle)
  end

  test "a key is allowed so often, then no more, until it is reset" do
    assert for(_ <- 1..6, do: Throttle.allow?(:login, {10, 0, 0, 1})) ==
             [true, true, true, true, true, false]

    assert Throttle.allow?(:login, {10, 0, 0, 2})
    assert Throttle.allow?(:search, {10, 0, 0, 1})
    :ok = Throttle.reset(:login, {10, 0, 0, 1})
    assert Throttle.allow?(:login, {10, 0, 0, 1})
  end

  test "a limiter takes its numbers from Elixir, and its next period comes" do
    short = start_supervised!({Penning.Actor, {"limiter", [1, 50], port: Throttle.Port}})
    assert Throttle.allow?(short, :key)
    assert eventually(fn -> Throttle.allow?(short, :key) end)
  end

  test "numbers that are none fail the start" do
    Process.flag(:trap_exit, true)
    assert {:error, _} = Penning.Actor.start_link("limiter", [:often], port: Throttle.Port)
  end

  test "the C++ supervisor is one, and restarts what crashes" do
    assert %{active: 2, workers: 2} = Supervisor.count_children(Throttle.Limiters)
    for _ <- 1..6, do: Throttle.allow?(:login, :me)
    before = child(:login)
    monitor = Process.monitor(before)
    assert {{:bad_call, :nonsense}, _} = catch_exit(GenServer.call(before, :nonsense))
    assert_receive {:DOWN, ^monitor, :process, ^before, {:bad_call, :nonsense}}
    assert eventually(fn -> is_pid(child(:login)) and child(:login) != before end)
    assert Throttle.allow?(:login, :me)
  end

  test "the Elixir supervisor restarts the actors when their program is killed" do
    {:ok, %{os_pid: os_pid}} = Penning.Port.info(Throttle.Port)
    mail = Process.whereis(Throttle.Mail)
    pid = Process.whereis(Throttle.Limiters)
    monitor = Process.monitor(pid)
    {"", 0} = System.cmd("kill", ["-KILL", "#{os_pid}"])
    assert_receive {:DOWN, ^monitor, :process, ^pid, _}

    # In this order: whoever is told of first, the supervisor ends what comes after the other once more.
    assert eventually(fn -> Process.whereis(Throttle.Mail) not in [nil, mail] end)
    assert eventually(fn -> Process.whereis(Throttle.Limiters) not in [nil, pid] end)
    assert Throttle.allow?(:login, :me)
    assert Throttle.allow?(Throttle.Mail, :me)
    assert {:ok, %{os_pid: new}} = Penning.Port.info(Throttle.Port)
    assert new != os_pid
  end

  defp child(id) do
    {^id, pid, _, _} = Throttle.Limiters |> Supervisor.which_children() |> List.keyfind(id, 0)
    pid
  end

  defp eventually(check, tries \\ 1_000) do
    cond do
      check.() -> true
      tries == 0 -> false
      true -> receive(after: (10 -> eventually(check, tries - 1)))
    end
  end
end
