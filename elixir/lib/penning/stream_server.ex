defmodule Penning.StreamServer do
  @moduledoc """
  The process behind an enumeration of `Penning.stream!/3`: one OS process, whose output is handed
  over on demand.

  Output is acknowledged when it is handed over, so what waits here is at most a window of each
  stream. What nobody asks for, stderr unless it is `tagged`, is acknowledged at once, and only its
  end is kept, for the error that may come of it.

  It stops its OS process when the process that enumerates halts, or ends, whatever it dies of.
  """

  use GenServer, restart: :temporary

  alias Penning.{Child, Feeder}

  # Of stderr for an error.
  @last_words 4096

  # asking: who waits for an element; exited: how the process has ended, when it has;
  # ended: {:ended, reason} when all of it is gone; failure: of the input
  defstruct [:child, :consumer, :tagged?, :asking, :exited, :ended, :failure] ++
              [queue: :queue.new(), last_words: "", feeder: Feeder.none()]

  @typedoc "The next of what there is, the end of it, or what went wrong with the input."
  @type answer ::
          {:output, Penning.Protocol.stream(), Penning.Protocol.output()}
          | {:ended, reason :: term, Penning.Stream.exited() | nil, stderr :: binary}
          | {:raise, {:error | :exit | :throw, term, Exception.stacktrace()}}

  @doc "Starts it for the calling process, without a link: the caller is monitored."
  @spec start(Penning.Options.t(), map) :: GenServer.on_start()
  def start(options, own), do: GenServer.start(__MODULE__, {options, own, self()})

  @doc "Waits for the next element."
  @spec next(pid) :: answer
  def next(server), do: GenServer.call(server, :next, :infinity)

  @doc "Stops the OS process and returns when it is gone."
  @spec stop(pid) :: :ok
  def stop(server) do
    GenServer.stop(server, :normal, :infinity)
  catch
    :exit, _gone_already -> :ok
  end

  @doc "Whether it is input in one piece."
  @spec iodata?(term) :: boolean
  def iodata?(input) do
    is_integer(IO.iodata_length(input))
  rescue
    ArgumentError -> false
  end

  @impl true
  def init({options, own, consumer}) do
    Process.flag(:trap_exit, true)

    with {:ok, child} <- Child.open(options, nil, consumer) do
      monitor = Process.monitor(consumer)
      {:ok, feed(%__MODULE__{child: child, consumer: monitor, tagged?: own.tagged}, own.input)}
    else
      {:error, reason} -> {:stop, reason}
    end
  end

  defp feed(state, input) do
    if iodata?(input),
      do: %{state | child: state.child |> Child.command(input) |> Child.close_stdin()},
      else: %{state | feeder: Feeder.start(input)}
  end

  @impl true
  def handle_call(:next, from, state), do: {:noreply, answer(%{state | asking: from})}

  def handle_call({:input, piece}, from, state) do
    child = Child.command(state.child, piece)
    {:noreply, fed(%{state | child: child, feeder: Feeder.asks(state.feeder, from)})}
  end

  @impl true
  def handle_cast(:end_of_input, state),
    do: {:noreply, %{state | child: Child.close_stdin(state.child)}}

  def handle_cast({:input_failed, failure}, state),
    do: {:noreply, answer(%{state | failure: failure})}

  @impl true
  def handle_info({:DOWN, monitor, :process, _, _}, %{consumer: monitor} = state),
    do: {:stop, :shutdown, state}

  def handle_info({:EXIT, pid, reason}, state) do
    cond do
      not Feeder.is?(state.feeder, pid) -> {:stop, reason, state}
      reason == :normal -> {:noreply, %{state | feeder: Feeder.none()}}
      true -> {:noreply, answer(%{state | failure: {:exit, reason, []}, feeder: Feeder.none()})}
    end
  end

  def handle_info(message, state) do
    {event, child} = Child.handle(state.child, message)
    {:noreply, event |> happened(%{state | child: child}) |> fed() |> answer()}
  end

  @impl true
  def terminate(_reason, state) do
    feeder = Feeder.halt(state.feeder)
    # The end comes after all output, whether somebody takes it or not.
    for {:output, stream, output} <- :queue.to_list(state.queue),
        do: Child.ack(state.child, stream, output)

    Child.stop(state.child, nil, fn _stream, _output, nil -> nil end)
    Feeder.await(feeder)
  end

  defp happened({:output, :error, output}, %{tagged?: false} = state) do
    Child.ack(state.child, :error, output)
    remember(state, output)
  end

  defp happened({:output, stream, output}, state) do
    state = if stream == :error, do: remember(state, output), else: state
    %{state | queue: :queue.in({:output, stream, output}, state.queue)}
  end

  defp happened({:exited, _, _, _} = exited, state), do: %{state | exited: exited}
  defp happened({:down, reason}, state), do: %{state | ended: {:ended, reason}}
  defp happened(_done_or_foreign, state), do: state

  defp answer(%{asking: nil} = state), do: state

  defp answer(%{failure: failure} = state) when failure != nil,
    do: reply(state, {:raise, failure})

  defp answer(state) do
    case :queue.out(state.queue) do
      {{:value, {:output, stream, output} = element}, rest} ->
        Child.ack(state.child, stream, output)
        reply(%{state | queue: rest}, element)

      {:empty, _} ->
        answer_end(state)
    end
  end

  defp answer_end(%{ended: nil} = state), do: state

  defp answer_end(%{ended: {:ended, reason}} = state),
    do: reply(state, {:ended, reason, state.exited, state.last_words})

  defp reply(state, answer) do
    GenServer.reply(state.asking, answer)
    %{state | asking: nil}
  end

  # The next piece is taken once nothing of this one waits here.
  defp fed(state) do
    {notices, child} = Child.notices(state.child)
    state = %{state | child: child}

    cond do
      Enum.any?(notices, &no_reader?/1) -> %{state | feeder: Feeder.halt(state.feeder)}
      Child.waits?(child) -> state
      true -> %{state | feeder: Feeder.go_on(state.feeder)}
    end
  end

  defp no_reader?({:stdin_closed, _}), do: true
  defp no_reader?({:stdin_refused, _, _}), do: true
  defp no_reader?(_), do: false

  defp remember(state, output) do
    words = state.last_words <> text(output)
    surplus = max(byte_size(words) - @last_words, 0)
    %{state | last_words: binary_part(words, surplus, byte_size(words) - surplus)}
  end

  defp text({:eol, line}), do: line <> "\n"
  defp text({:noeol, piece}), do: piece
  defp text(bytes), do: bytes
end
