defmodule Penning.Start do
  @moduledoc """
  A start in a port program, awaited by the process that it is for.

  `Penning.Port` does not wait with it. The start is given up, and what it has started is killed,
  when its time is up, or when the process ends that wants it.
  """

  alias Penning.{Connection, Error}

  @typedoc """
  `deadline` in milliseconds of `System.monotonic_time/1`; `given_up` is why nobody wants it any
  more; `announced?` says whether `starting` has come.
  """
  @type t :: %__MODULE__{
          hub: GenServer.server(),
          tag: reference,
          watch: reference,
          deadline: integer | :infinity,
          given_up: nil | {:because, term},
          announced?: boolean
        }
  defstruct [:hub, :tag, :watch, deadline: :infinity, given_up: nil, announced?: false]

  @typedoc "What `Penning.Port` starts; see there."
  @type request ::
          {:open, binary, [binary], map}
          | {:adopt, pos_integer, map}
          | {:supervise, map, [map]}

  @doc """
  Asks the `Penning.Port` process `server` for a start, on behalf of `wanted_by`, for at most
  `timeout` milliseconds.

  `fun` gets the frames that come before the answer, the first of which is `{:starting, opened}`,
  and an accumulator. The result is `{:ok, opened}`, `{:error, :timeout}` once all is gone again,
  `{:error, reason}` of `wanted_by`, or what the port program says.
  """
  @spec run(GenServer.server(), {Penning.Port.key(), request}, pid, timeout, acc, fun) ::
          {{:ok, map} | {:error, term}, acc}
        when acc: term, fun: (term, acc -> acc)
  def run(server, request, wanted_by, timeout, acc, fun) do
    case GenServer.whereis(server) do
      nil -> {not_running(), acc}
      hub -> hub |> ask(request, wanted_by, timeout) |> finish(acc, fun)
    end
  end

  defp ask(hub, request, wanted_by, timeout) do
    tag = Process.monitor(hub)
    watch = Process.monitor(wanted_by)
    GenServer.cast(hub, {:start, {self(), tag}, request})
    %__MODULE__{hub: hub, tag: tag, watch: watch, deadline: deadline(timeout)}
  end

  defp finish(start, acc, fun) do
    answer = await(start, acc, fun)
    Process.demonitor(start.tag, [:flush])
    Process.demonitor(start.watch, [:flush])
    answer
  end

  defp await(%{tag: tag, watch: watch} = start, acc, fun) do
    receive do
      {^tag, result} -> answered(result, start, acc, fun)
      {:DOWN, ^tag, :process, _, _} -> {not_running(), acc}
      {:DOWN, ^watch, :process, _, reason} -> start |> give_up(reason) |> await(acc, fun)
      {:"$penning", {:starting, _} = frame} -> await(announced(start), fun.(frame, acc), fun)
      {:"$penning", frame} -> await(start, fun.(frame, acc), fun)
    after
      remaining(start.deadline) -> start |> give_up(:timeout) |> await(acc, fun)
    end
  end

  defp answered(result, %{given_up: nil}, acc, _fun), do: {result, acc}
  defp answered({:error, _}, %{given_up: {:because, why}}, acc, _), do: {{:error, why}, acc}

  # It has come up at the last moment.
  defp answered({:ok, %{port: port, id: id} = opened}, start, acc, fun) do
    {:because, why} = start.given_up
    acc = if start.announced?, do: acc, else: fun.({:starting, opened}, acc)
    Connection.write(port, {:exit, id, :kill})
    {{:error, why}, await_end(id, start.tag, acc, fun)}
  end

  defp announced(start), do: %{start | announced?: true}

  defp await_end(id, tag, acc, fun) do
    receive do
      {:"$penning", {:down, ^id, _}} -> acc
      {:DOWN, ^tag, :process, _, _} -> acc
      {:"$penning", frame} -> await_end(id, tag, fun.(frame, acc), fun)
    end
  end

  defp give_up(%{given_up: nil} = start, reason) do
    GenServer.cast(start.hub, {:give_up, {self(), start.tag}})
    %{start | given_up: {:because, reason}, deadline: :infinity}
  end

  defp give_up(start, _reason), do: start

  defp not_running, do: {:error, Error.exception(:not_running)}

  defp deadline(:infinity), do: :infinity
  defp deadline(ms), do: now() + ms

  defp remaining(:infinity), do: :infinity
  defp remaining(deadline), do: max(deadline - now(), 0)

  defp now, do: System.monotonic_time(:millisecond)
end
