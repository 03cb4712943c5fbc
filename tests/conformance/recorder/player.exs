defmodule Recorder.Player do
  @moduledoc "Plays a scenario against the real supervisors and tells what they did."

  alias Recorder.{Log, Observation, Requests, Text}
  import Recorder.Settling

  @patience 10_000

  @doc """
  The events that were played and what came of them. It ends with the supervisor: of itself, or by
  an exit from its parent, which is us.
  """
  def play(%{"kind" => kind, "input" => input}) do
    Process.flag(:trap_exit, true)
    Log.clear()
    Process.put(:stranger, spawn_link(&stranger/0))
    start = start(kind, input)
    {events, steps} = perform_all(input["events"], alive?(), [])
    Process.exit(Process.get(:stranger), :kill)
    {events, %{"start" => start, "steps" => steps}}
  end

  defp start(kind, input) do
    :sup_golden.set_plans(input["children"])
    flags = :sup_golden.flags(input["sup"])
    specs = :sup_golden.specs(input["children"])

    result =
      if kind == "otp_supervisor",
        do: :sup_golden.start_supervisor("top", 0, flags, specs),
        else: :sup_golden.start_dynamic("top", flags)

    with {:ok, top} <- result, do: Log.start(top)
    settle([])
    Observation.step(Text.show(result, &Log.name/1))
  end

  defp perform_all(_events, false, done), do: done |> Enum.reverse() |> Enum.unzip()

  defp perform_all([], true, done),
    do: perform_all([%{"op" => "parent_exit", "reason" => "shutdown"}], true, done)

  defp perform_all([event | rest], true, done) do
    case attempt(event, []) do
      nil ->
        perform_all(rest, true, done)

      {event, outcome} ->
        settle([])
        step = outcome |> await() |> Observation.step()
        perform_all(rest, alive?(), [{event, step} | done])
    end
  end

  defp alive?, do: (top = Log.latest("top")) != nil and Log.ended(top) == nil

  defp stranger do
    receive do
      {:signal, from, pid, reason} ->
        Process.exit(pid, reason)
        send(from, :signalled)
    end

    stranger()
  end

  @doc "Ends what is left of the scenario: repeatedly, as one may restart another."
  def end_all do
    Log.sync()

    with [_ | _] = live <- Log.live() do
      for {pid, _} <- live, do: Process.exit(pid, :kill)
      for {pid, _} <- live, do: await_down(pid)
      end_all()
    end
  end

  # -- events ------------------------------------------------------------------------------------
  # Each gives the text of its result, or a function that waits for it, or a list of these.

  defp await(list) when is_list(list), do: Enum.map(list, &await/1)
  defp await(later) when is_function(later), do: later.()
  defp await(text), do: text

  # The event as it was performed, and its outcome. One about nobody is left out.
  defp attempt(%{"op" => "batch", "events" => events} = event, held) do
    supervisor = target(event)
    # `sys:suspend` would let the exit of the parent through, ahead of what came before it.
    true = :erlang.suspend_process(supervisor)

    {events, outcomes} =
      events |> Enum.flat_map(&hold_back(&1, [supervisor | held])) |> Enum.unzip()

    if !Log.ended(supervisor), do: :erlang.resume_process(supervisor)
    {%{event | "events" => events}, outcomes}
  catch
    :nobody -> nil
  end

  defp attempt(event, held) do
    {event, perform(event, held)}
  catch
    :nobody -> nil
  end

  defp hold_back(event, held) do
    performed = attempt(event, held)
    settle(held)
    List.wrap(performed)
  end

  defp perform(%{"op" => "set_plan", "id" => id, "plan" => plan}, _held) do
    Log.plan(id, plan)
    "ok"
  end

  defp perform(%{"op" => "sleep", "ms" => time}, _held) do
    # The scenario is about time: a window that expires.
    Process.sleep(time)
    "ok"
  end

  defp perform(%{"op" => op, "id" => id} = event, _held) when op in ~w(exit kill signal) do
    pid = Log.latest(id)
    if pid && !Log.ended(pid), do: end_child(op, pid, event), else: "noproc"
  end

  defp perform(%{"op" => "message"} = event, _held) do
    send(target(event), :hello)
    "ok"
  end

  defp perform(%{"op" => "stranger_exit", "reason" => reason} = event, _held),
    do: signal(target(event), Text.parse(reason))

  defp perform(%{"op" => "parent_exit", "reason" => reason}, held),
    do: exit_top(Text.parse(reason), held)

  defp perform(%{"op" => "kill_sup"}, held), do: exit_top(:kill, held)

  defp perform(%{"op" => "check_childspecs", "children" => children} = event, _held) do
    specs = :sup_golden.specs(children)

    result =
      case event do
        %{"auto_shutdown" => mode} -> :supervisor.check_childspecs(specs, Text.parse(mode))
        _ -> :supervisor.check_childspecs(specs)
      end

    Text.show(result, &Log.name/1)
  end

  defp perform(event, held), do: Requests.ask(target(event), event, held)

  defp target(event) do
    pid = Log.latest(Map.get(event, "in", "top"))
    if pid && !Log.ended(pid) && Log.process(pid).kind != :worker, do: pid, else: throw(:nobody)
  end

  defp end_child("exit", pid, %{"reason" => reason}) do
    %{kind: kind, parent: parent} = Log.process(pid)
    reason = Text.parse(reason)
    # A supervisor ends by itself only as its parent wishes.
    send(pid, if(kind == :worker, do: {:end, reason}, else: {:EXIT, parent, reason}))
    await_down(pid)
  end

  defp end_child("kill", pid, _event) do
    Process.exit(pid, :kill)
    await_down(pid)
  end

  defp end_child("signal", pid, %{"reason" => reason}), do: signal(pid, Text.parse(reason))

  defp signal(pid, reason) do
    send(Process.get(:stranger), {:signal, self(), pid, reason})
    receive(do: (:signalled -> "ok"))
  end

  defp exit_top(reason, held) do
    top = Log.latest("top")
    Process.exit(top, reason)
    if top in held, do: "ok", else: await_down(top)
  end

  defp await_down(pid) do
    ref = Process.monitor(pid)

    receive do
      {:DOWN, ^ref, _, _, _} -> "ok"
    after
      @patience -> throw(:stuck)
    end
  end
end
