defmodule Penning.HandlesTest do
  # C++ actors and Elixir processes on either side of a real port program: see
  # tests/elixir/actor_port.cpp for what the actors do.
  use Penning.Case, async: true

  doctest Penning.Handles

  setup do
    executable = System.get_env("PENNING_ACTOR_PORT") || flunk("PENNING_ACTOR_PORT is not set")
    port = start_supervised!({Penning.Port, executable: executable})
    probe = Penning.whereis("probe", port: port)
    :ok = GenServer.call(probe, {:tell, self()})
    %{port: port, probe: probe}
  end

  defp server(port), do: start_supervised!({Penning.Actor, {"probe", [], port: port}})

  defp idle, do: spawn_link(fn -> Process.sleep(:infinity) end)

  describe "from Elixir, a C++ actor" do
    test "is sent messages, casts and calls, each as what it is", %{probe: probe} do
      send(probe, {:hello, 1})
      GenServer.cast(probe, {:hello, 2})
      assert GenServer.call(probe, {:echo, {:hello, 3}}) == {:hello, 3}
      assert_receive {:info, {:hello, 1}}
      assert_receive {:cast, {:hello, 2}}
    end

    test "is sent more than a frame holds, and answers it", %{probe: probe} do
      huge = :binary.copy(<<1, 2, 3, 4>>, 20 * 1024 * 1024)
      send(probe, {:before, 1})
      assert GenServer.call(probe, {:echo, huge}, 60_000) == huge
      assert_received {:info, {:before, 1}}
    end

    test "says what it was not able to read to whoever asked", %{probe: probe} do
      many = List.duplicate(1.5, 8 * 1024 * 1024)
      assert {:error, {:bad_term, text}} = GenServer.call(probe, {:echo, many}, 60_000)
      assert text =~ "memory"
    end

    test "takes its own message types", %{probe: probe} do
      assert GenServer.call(probe, {:sum, 40, 2}) == 42
    end

    test "has one pid, in messages as well", %{probe: probe} do
      assert GenServer.call(probe, :self) == probe

      assert GenServer.call(probe, {:echo, [%{here: {self(), probe}}]}) == [
               %{here: {self(), probe}}
             ]
    end

    test "answers a typed message that names its sender", %{probe: probe} do
      send(probe, {:greet, self(), "good day"})
      assert_receive {:greet, ^probe, "you said good day"}
    end

    test "that ends tells its monitors and its callers why, once", %{probe: probe} do
      monitor = Process.monitor(probe)
      caller = Task.async(fn -> catch_exit(GenServer.call(probe, :hang)) end)
      assert eventually(fn -> map_size(:sys.get_state(probe).calls.waiting) == 1 end)

      assert {{:bad, 1}, {GenServer, :call, _}} =
               catch_exit(GenServer.call(probe, {:stop, {:bad, 1}}))

      assert {{:bad, 1}, {GenServer, :call, _}} = Task.await(caller)
      assert_receive {:DOWN, ^monitor, :process, ^probe, {:bad, 1}}
      refute_received {:DOWN, _, _, _, _}
    end

    test "that ends takes those with it that are linked to it", %{probe: probe} do
      {linked, monitor} = spawn_monitor(fn -> Process.link(probe) && Process.sleep(:infinity) end)
      assert eventually(fn -> probe in elem(Process.info(linked, :links), 1) end)
      catch_exit(GenServer.call(probe, {:stop, :gone}))
      assert_receive {:DOWN, ^monitor, :process, ^linked, :gone}
    end

    test "hears the exit signals of processes, with their names", %{probe: probe} do
      :ok = GenServer.call(probe, {:trap, self()})
      me = self()

      {other, _} =
        spawn_monitor(fn ->
          Process.link(probe)
          Process.exit(probe, :from_me)
          exit(:at_the_end)
        end)

      assert_receive {:EXIT, ^other, :from_me}
      assert_receive {:EXIT, from, :at_the_end} when from in [other, :gone]
      Process.exit(probe, :normal)
      assert_receive {:EXIT, ^me, :normal}
      assert GenServer.call(probe, {:echo, 1}) == 1
    end

    test "that does not trap exits ends with a process that links itself to it", %{probe: probe} do
      monitor = Process.monitor(probe)
      spawn(fn -> Process.link(probe) && exit(:mine) end)
      assert_receive {:DOWN, ^monitor, :process, ^probe, :mine}
    end

    test "can be killed", %{port: port, probe: probe} do
      Process.exit(probe, :kill)
      assert eventually(fn -> Penning.whereis("probe", port: port) == nil end)
    end

    test "that has ended is noproc", %{probe: probe} do
      catch_exit(GenServer.call(probe, {:stop, :gone}))
      assert {:noproc, _} = catch_exit(GenServer.call(probe, {:echo, 1}))
    end

    test "which the program has never heard of is noproc, too", %{probe: probe} do
      stranger = GenServer.call(probe, {:echo, Penning.Handles.pid(999_999)})
      monitor = Process.monitor(stranger)
      assert_receive {:DOWN, ^monitor, :process, ^stranger, :noproc}
    end

    test "leaves nothing in the tables when it ends", %{port: port, probe: probe} do
      for _ <- 1..20 do
        child = server(port)
        assert GenServer.call(child, :self) == child
        :ok = stop_supervised(Penning.Actor.child_spec({"probe", []}).id)
      end

      assert Penning.Table.size(:sys.get_state(port).table) == 1
      assert GenServer.call(probe, {:echo, 1}) == 1
    end
  end

  describe "from C++, a process" do
    test "is sent messages and casts", %{probe: probe} do
      me = self()
      :ok = GenServer.call(probe, {:send, me, {:plain, 1.5}})
      assert_receive {:plain, 1.5}
      :ok = GenServer.call(probe, {:cast, me, :cast_to_me})
      assert_receive {:"$gen_cast", :cast_to_me}
    end

    test "has a registered name", %{probe: probe} do
      Process.register(self(), :penning_handles_test)
      :ok = GenServer.call(probe, {:named, :penning_handles_test, :by_name})
      assert_receive :by_name
      :ok = GenServer.call(probe, {:named, :penning_nobody, :by_name})
      assert GenServer.call(probe, {:echo, 1}) == 1
    end

    test "answers calls", %{probe: probe} do
      {:ok, agent} = Agent.start_link(fn -> 7 end)
      assert {:ok, 7} = GenServer.call(probe, {:call, agent, {:get, & &1}, 5_000})
    end

    test "that does not answer in time is given up", %{probe: probe} do
      assert GenServer.call(probe, {:call, idle(), :anything, 20}) == {:error, :timeout}
      assert GenServer.call(probe, {:echo, 1}) == 1
    end

    test "that ends before it answers says why", %{probe: probe} do
      dies = spawn(fn -> receive(do: ({:"$gen_call", _, :die} -> exit(:as_asked))) end)
      assert GenServer.call(probe, {:call, dies, :die, 5_000}) == {:error, :as_asked}
      assert GenServer.call(probe, {:call, dies, :die, 5_000}) == {:error, :noproc}
    end

    test "is monitored: one down with its reason", %{probe: probe} do
      other = spawn(fn -> receive(do: (reason -> exit(reason))) end)
      :ok = GenServer.call(probe, {:monitor, other})
      send(other, {:reason, [self()]})
      me = self()
      assert_receive {:down, {:reason, [^me]}}
      :ok = GenServer.call(probe, {:monitor, other})
      assert_receive {:down, :noproc}
      refute_received {:down, _}
    end

    test "is monitored no more", %{probe: probe} do
      other = spawn(fn -> receive(do: (reason -> exit(reason))) end)
      :ok = GenServer.call(probe, {:monitor, other})
      :ok = GenServer.call(probe, {:demonitor, other})
      send(other, :reason)
      assert GenServer.call(probe, {:call, other, :x, 5_000}) in [error: :reason, error: :noproc]
      refute_received {:down, _}
    end

    test "that is linked gets one exit signal when the actor ends", %{probe: probe} do
      Process.flag(:trap_exit, true)
      :ok = GenServer.call(probe, {:link, self()})
      catch_exit(GenServer.call(probe, {:stop, :bye}))
      assert_receive {:EXIT, ^probe, :bye}
      refute_received {:EXIT, _, _}
    end

    test "that is linked and ends tells the actor, once", %{probe: probe} do
      :ok = GenServer.call(probe, {:trap, self()})
      other = spawn(fn -> receive(do: (reason -> exit(reason))) end)
      :ok = GenServer.call(probe, {:link, other})
      send(other, :over)
      assert_receive {:EXIT, _, :over}
      assert GenServer.call(probe, {:echo, 1}) == 1
      refute_received {:EXIT, _, _}
    end

    test "that is unlinked does not", %{probe: probe} do
      other = spawn(fn -> receive(do: (reason -> exit(reason))) end)
      :ok = GenServer.call(probe, {:link, other})
      :ok = GenServer.call(probe, {:unlink, other})
      monitor = Process.monitor(probe)
      send(other, :over)
      assert GenServer.call(probe, {:call, other, :x, 5_000}) in [error: :over, error: :noproc]
      refute_received {:DOWN, ^monitor, _, _, _}
    end

    test "gets exit signals, from the actor", %{probe: probe} do
      Process.flag(:trap_exit, true)
      :ok = GenServer.call(probe, {:exit, self(), :please})
      assert_receive {:EXIT, ^probe, :please}

      {other, monitor} =
        spawn_monitor(fn ->
          Process.flag(:trap_exit, true)
          Process.sleep(:infinity)
        end)

      :ok = GenServer.call(probe, {:exit, other, :kill})
      assert_receive {:DOWN, ^monitor, :process, ^other, :killed}
    end
  end

  describe "a C++ supervisor" do
    test "does as Supervisor asks", %{port: port} do
      tree = Penning.whereis("tree", port: port)
      assert %{active: 2, specs: 2, supervisors: 0, workers: 2} = Supervisor.count_children(tree)
      children = Supervisor.which_children(tree)
      assert [{:b, b, :worker, _}, {:a, a, :worker, _}] = children
      assert GenServer.call(a, :self) == a

      monitor = Process.monitor(b)
      assert Supervisor.terminate_child(tree, :b) == :ok
      assert_receive {:DOWN, ^monitor, :process, ^b, :shutdown}
      assert {:error, :not_found} = Supervisor.terminate_child(tree, :c)
      assert {:ok, new} = Supervisor.restart_child(tree, :b)
      assert new != b
      assert GenServer.call(new, :self) == new

      assert {:error, :running} = Supervisor.restart_child(tree, :a)
      assert {:ok, %{id: :a}} = :supervisor.get_childspec(tree, :a)
    end

    test "knows its children by their pids", %{port: port} do
      pool = Penning.whereis("pool", port: port)
      assert {:ok, one} = :supervisor.start_child(pool, [])
      assert {:ok, other} = :supervisor.start_child(pool, [])
      assert GenServer.call(one, :self) == one

      assert [one, other] |> Enum.sort() ==
               for({_, pid, _, _} <- Supervisor.which_children(pool), do: pid) |> Enum.sort()

      monitor = Process.monitor(one)
      assert :ok = :supervisor.terminate_child(pool, one)
      assert_receive {:DOWN, ^monitor, :process, ^one, :shutdown}
      assert [{_, ^other, _, _}] = Supervisor.which_children(pool)
    end

    test "restarts what crashes, behind the wall", %{port: port} do
      tree = Penning.whereis("tree", port: port)
      assert {:a, a, _, _} = List.keyfind(Supervisor.which_children(tree), :a, 0)
      assert {:oh, _} = catch_exit(GenServer.call(a, {:stop, :oh}))

      assert eventually(fn ->
               {:a, new, _, _} = List.keyfind(Supervisor.which_children(tree), :a, 0)
               is_pid(new) and new != a
             end)
    end
  end

  test "a name is whoever is registered under it in C++ now", %{port: port} do
    registered = Penning.whereis("registered", port: port)
    assert {:oh, _} = catch_exit(GenServer.call(registered, {:stop, :oh}))

    assert eventually(fn ->
             new = Penning.whereis("registered", port: port)
             is_pid(new) and new != registered and GenServer.call(new, :self) == new
           end)
  end

  describe "under an Elixir supervisor, an actor" do
    test "is started, restarted and stopped with it", %{port: port} do
      child = server(port)
      monitor = Process.monitor(child)
      catch_exit(GenServer.call(child, {:stop, :crash}))
      assert_receive {:DOWN, ^monitor, :process, ^child, :crash}

      assert eventually(fn ->
               [{_, new, _, _}] =
                 for {"probe", _, _, _} = c <- Supervisor.which_children(supervisor()), do: c

               is_pid(new) and new != child and GenServer.call(new, {:echo, 1}) == 1
             end)
    end

    test "may be a supervisor", %{port: port} do
      tree = start_supervised!({Penning.Actor, {"tree", [], port: port}})
      assert [{:b, b, _, _}, {:a, _, _, _}] = Supervisor.which_children(tree)
      monitor = Process.monitor(b)
      :ok = stop_supervised("tree")
      assert_receive {:DOWN, ^monitor, :process, ^b, :shutdown}
    end

    test "is not offered, or ends with the program", %{port: port} do
      Process.flag(:trap_exit, true)
      assert Penning.Actor.start_link("nothing", [], port: port) == {:error, :not_found}
      {:ok, child} = Penning.Actor.start_link("probe", [], port: port)
      {:ok, %{os_pid: os_pid}} = Penning.Port.info(port)
      kill(os_pid)
      assert_receive {:EXIT, ^child, :noconnection}
    end

    test "is killed when what stands for it is", %{port: port, probe: probe} do
      Process.flag(:trap_exit, true)
      {:ok, child} = Penning.Actor.start_link("probe", [], port: port)
      :ok = GenServer.call(probe, {:monitor, child})
      Process.exit(child, :kill)
      assert_receive {:down, :killed}
      {:ok, new} = Penning.Actor.start_link("probe", [], port: port)
      assert GenServer.call(new, {:echo, 1}) == 1
    end
  end

  defp supervisor do
    {:ok, supervisor} = ExUnit.fetch_test_supervisor()
    supervisor
  end
end
