defmodule Recorder.Requests do
  @moduledoc "The calls of the interface of a supervisor."

  alias Recorder.{Log, Text}

  @patience 10_000

  @doc """
  Makes the call that an event stands for and gives the text of its result. One that is held
  answers later: once it has the request this returns a function that waits for the answer.
  """
  def ask(supervisor, event, held) do
    {from, ref} = {self(), make_ref()}
    request = request(event, supervisor)
    waiting = queue_length(supervisor)
    caller = spawn(fn -> send(from, {ref, catch_all(request)}) end)
    later = fn -> answer(supervisor, ref) end

    if supervisor in held do
      await_request(supervisor, waiting, caller)
      later
    else
      later.()
    end
  end

  defp request(%{"op" => "start_child", "args" => arguments}, supervisor),
    do: fn -> :supervisor.start_child(supervisor, Text.parse(arguments)) end

  defp request(%{"op" => "start_child", "spec" => child}, supervisor) do
    :sup_golden.set_plans([child])
    spec = :sup_golden.spec(child)
    fn -> module_of(supervisor).start_child(supervisor, spec) end
  end

  defp request(%{"op" => "code_change"} = event, supervisor) do
    :sup_golden.set_plans(Map.get(event, "children", []))
    returns = next_init(event)

    fn ->
      :ok = :sys.suspend(supervisor)
      Log.next_init(supervisor, returns)
      result = :sys.change_code(supervisor, :sup_golden, :old, [])
      Log.next_init(supervisor, nil)
      :ok = :sys.resume(supervisor)
      result
    end
  end

  defp request(%{"op" => "stop", "reason" => reason}, supervisor),
    do: fn -> :gen_server.stop(supervisor, Text.parse(reason), :infinity) end

  defp request(%{"op" => op, "id" => _} = event, supervisor) do
    arguments = [supervisor, child(event, supervisor)]
    fn -> apply(module_of(supervisor), String.to_existing_atom(op), arguments) end
  end

  defp request(%{"op" => op}, supervisor) when op in ~w(which_children count_children),
    do: fn -> apply(module_of(supervisor), String.to_existing_atom(op), [supervisor]) end

  defp next_init(%{"return" => returns}), do: Text.parse(returns)

  defp next_init(%{"sup" => flags, "children" => children}),
    do: {:ok, {:sup_golden.flags(flags), :sup_golden.specs(children)}}

  defp module_of(supervisor),
    do: if(Log.process(supervisor).kind == :elixir, do: DynamicSupervisor, else: :supervisor)

  defp child(%{"by" => "stranger"}, _supervisor), do: Process.get(:stranger)
  defp child(%{"by" => "id", "id" => id}, _supervisor), do: Text.parse(id)
  defp child(%{"by" => "pid", "id" => id}, _supervisor), do: Log.latest(id) || throw(:nobody)

  defp child(%{"op" => "terminate_child", "id" => id} = event, supervisor) do
    if Log.process(supervisor).kind == :supervisor,
      do: Text.parse(id),
      else: child(Map.put(event, "by", "pid"), supervisor)
  end

  defp child(%{"id" => id}, _supervisor), do: Text.parse(id)

  defp catch_all(request) do
    request.()
  catch
    :exit, reason -> {:EXIT, reason}
    :error, reason -> {:EXIT, {reason, __STACKTRACE__}}
  end

  # A caller that has refused the request itself is gone.
  defp await_request(supervisor, waiting, caller) do
    if queue_length(supervisor) == waiting and Process.alive?(caller) do
      :erlang.yield()
      await_request(supervisor, waiting, caller)
    end
  end

  defp queue_length(supervisor) do
    case Process.info(supervisor, :message_queue_len) do
      {_, length} -> length
      nil -> 0
    end
  end

  defp answer(supervisor, ref) do
    receive do
      {^ref, result} -> result |> in_order(supervisor) |> Text.show(&Log.name/1)
    after
      @patience -> throw(:stuck)
    end
  end

  defp in_order([{_, _, _, _} | _] = children, supervisor) do
    if Log.process(supervisor).kind == :supervisor, do: children, else: Enum.sort(children)
  end

  defp in_order(result, _supervisor), do: result
end
