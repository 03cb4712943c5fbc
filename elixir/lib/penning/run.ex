defmodule Penning.Run do
  @moduledoc """
  A command that runs to its end, and what came of it: see `Penning.run/3`.
  """

  alias Penning.{Child, Options}

  @enforce_keys [:child, :caller, :max_output]
  defstruct [:child, :caller, :max_output, :ended, timed_out: false] ++
              [data: [], data_bytes: 0, error: [], error_bytes: 0, truncated: false]

  @typedoc """
  How it ended, what it wrote to stdout and stderr, whether it wrote more than is here, whether it
  was stopped since its time was up, and its usage.
  """
  @type result :: %{
          how: {:status, 0..255} | {:signal, non_neg_integer, core_dumped :: boolean},
          out: binary,
          err: binary,
          truncated: boolean,
          timed_out: boolean,
          usage: map
        }

  @max_output 16 * 1024 * 1024
  @max_ms 4_294_967_295

  # It starts when it starts, and comes as it comes.
  @without [:ready, :stdout_delivery, :stderr_delivery]

  @doc """
  Splits the options of a run from those of its process, and checks them.

      iex> Penning.Run.split!(input: "x", cd: "/")
      {%{input: "x", max_output: 16_777_216, timeout: :infinity}, [cd: "/"]}

      iex> Penning.Run.split!(timeout: -1)
      ** (ArgumentError) invalid option :timeout with value -1: expected milliseconds, 0 to 4294967295, or :infinity
  """
  @spec split!(term) :: {map, term}
  def split!(opts) do
    if Keyword.keyword?(opts) do
      {own, rest} = Keyword.split(opts, [:input, :max_output, :timeout])
      Enum.each(own, &check!/1)
      {Map.merge(%{input: "", max_output: @max_output, timeout: :infinity}, Map.new(own)), rest}
    else
      {%{}, opts}
    end
  end

  defp check!({:input, input}) do
    IO.iodata_length(input)
  rescue
    ArgumentError -> bad!(:input, input, "expected iodata")
  end

  defp check!({:max_output, bytes}) do
    if not (is_integer(bytes) and bytes >= 0),
      do: bad!(:max_output, bytes, "expected an integer of 0 or more")
  end

  defp check!({:timeout, time}) do
    if not (time == :infinity or (is_integer(time) and time in 0..@max_ms)),
      do: bad!(:timeout, time, "expected milliseconds, 0 to #{@max_ms}, or :infinity")
  end

  defp bad!(name, value, text) do
    raise ArgumentError, "invalid option #{inspect(name)} with value #{inspect(value)}: #{text}"
  end

  @doc "Runs it, in a process of its own, and waits. One whose caller ends is stopped."
  @spec run(Options.t(), map) :: {:ok, result} | {:error, term}
  def run(options, own) do
    caller = self()
    {pid, monitor} = spawn_monitor(fn -> exit({:shutdown, execute(options, own, caller)}) end)

    receive do
      {:DOWN, ^monitor, :process, ^pid, {:shutdown, result}} -> result
      {:DOWN, ^monitor, :process, ^pid, reason} -> exit(reason)
    end
  end

  defp execute(options, own, caller) do
    options = %{options | wire: Map.drop(options.wire, @without)}

    with {:ok, child} <- Child.open(options, nil, caller) do
      if own.timeout != :infinity, do: Process.send_after(self(), :timeout, own.timeout)
      run = %__MODULE__{child: child, caller: Process.monitor(caller), max_output: own.max_output}
      # All of it is one piece, however long.
      child = child |> Child.command(own.input) |> Child.close_stdin()
      loop(%{run | child: child})
    end
  end

  defp loop(%{caller: caller} = run) do
    receive do
      {:DOWN, ^caller, :process, _, reason} ->
        Child.stop(run.child, nil, fn _stream, _output, nil -> nil end)
        exit(reason)

      :timeout when run.ended == nil ->
        loop(%{run | child: Child.close(run.child), timed_out: true})

      message ->
        {event, child} = Child.handle(run.child, message)
        happened(event, %{run | child: child})
    end
  end

  defp happened({:output, stream, bytes}, run) do
    run = keep(run, stream, bytes)
    Child.ack(run.child, stream, bytes)
    loop(run)
  end

  defp happened({:exited, _, _, _} = exited, run), do: loop(%{run | ended: exited})
  defp happened({:down, _}, %{ended: {:exited, _, how, usage}} = run), do: result(how, usage, run)
  defp happened({:down, reason}, _run), do: {:error, reason}
  defp happened(_done_or_foreign, run), do: loop(run)

  defp keep(run, :data, bytes) do
    {part, all?} = part(bytes, run.max_output - run.data_bytes)
    run = %{run | data: [run.data, part], data_bytes: run.data_bytes + byte_size(part)}
    %{run | truncated: run.truncated or not all?}
  end

  defp keep(run, :error, bytes) do
    {part, all?} = part(bytes, run.max_output - run.error_bytes)
    run = %{run | error: [run.error, part], error_bytes: run.error_bytes + byte_size(part)}
    %{run | truncated: run.truncated or not all?}
  end

  # A copy: a part would keep the whole.
  defp part(bytes, room) when byte_size(bytes) <= room, do: {bytes, true}
  defp part(bytes, room), do: {:binary.copy(binary_part(bytes, 0, room)), false}

  defp result(how, usage, run) do
    {:ok,
     %{
       how: how,
       out: IO.iodata_to_binary(run.data),
       err: IO.iodata_to_binary(run.error),
       truncated: run.truncated,
       timed_out: run.timed_out,
       usage: usage
     }}
  end
end
