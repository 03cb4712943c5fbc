defmodule Penning.Stream do
  @moduledoc """
  The output of a command as a lazy enumerable: see `Penning.stream!/3`.

  The elements and the options are told there. Each enumeration starts the command anew, in a
  process of its own, a `Penning.StreamServer`, which this module asks for one element after the
  other, in the process that enumerates.
  """

  alias Penning.{CommandError, Options, StreamServer}

  @own [:input, :tagged, :exit]

  # It starts when it starts.
  @without [:ready, :stdin_limit]

  # A piece of input is fed only when nothing else waits, so none is refused, however long.
  @any_limit 0xFFFF_FFFF_FFFF

  @typedoc "How it ended, as its owner is told."
  @type exited :: {:exited, os_pid :: pos_integer, how :: term, usage :: map}

  @typedoc "Output, output with its stream, or with `exit: :element` the end."
  @type element ::
          Penning.Protocol.output() | {:stdout | :stderr, Penning.Protocol.output()} | exited

  @doc """
  Splits the options of a stream from those of its process, and checks them.

      iex> Penning.Stream.split!(input: ["a", "b"], cd: "/")
      {%{input: ["a", "b"], tagged: false, exit: :raise}, [cd: "/"]}

      iex> Penning.Stream.split!(exit: :ignore)
      ** (ArgumentError) invalid option :exit with value :ignore: expected :raise or :element

      iex> Penning.Stream.split!(input: 5)
      ** (ArgumentError) invalid option :input with value 5: expected iodata or an enumerable of iodata
  """
  @spec split!(term) :: {map, term}
  def split!(opts) do
    if Keyword.keyword?(opts) do
      {own, rest} = Keyword.split(opts, @own)
      Enum.each(own, &check!/1)
      {Map.merge(%{input: "", tagged: false, exit: :raise}, Map.new(own)), rest}
    else
      {%{}, opts}
    end
  end

  defp check!({:input, input}) do
    if not (StreamServer.iodata?(input) or Enumerable.impl_for(input) != nil),
      do: bad!(:input, input, "expected iodata or an enumerable of iodata")
  end

  defp check!({:tagged, tagged}) do
    if not is_boolean(tagged), do: bad!(:tagged, tagged, "expected true or false")
  end

  defp check!({:exit, exit}) do
    if exit not in [:raise, :element], do: bad!(:exit, exit, "expected :raise or :element")
  end

  defp bad!(name, value, text) do
    raise ArgumentError, "invalid option #{inspect(name)} with value #{inspect(value)}: #{text}"
  end

  @doc "The enumerable. Nothing is started before it is enumerated."
  @spec new(Options.t(), map) :: Enumerable.t()
  def new(options, own) do
    options = %{options | wire: Map.drop(options.wire, @without), stdin_limit: @any_limit}
    Stream.resource(fn -> start!(options, own) end, &next!(&1, options, own), &stop/1)
  end

  defp start!(options, own) do
    case StreamServer.start(options, own) do
      {:ok, server} -> server
      {:error, {:bad_option, text}} -> raise ArgumentError, text
      {:error, %Penning.Error{} = error} -> raise error
      {:error, reason} -> raise CommandError, program: options.program, reason: reason
    end
  end

  defp next!(:ended, _options, _own), do: {:halt, :ended}

  defp next!(server, options, own) do
    case StreamServer.next(server) do
      {:output, stream, output} -> {[element(stream, output, own)], server}
      {:ended, reason, exited, stderr} -> ended!(reason, exited, stderr, server, options, own)
      {:raise, {kind, reason, stacktrace}} -> :erlang.raise(kind, reason, stacktrace)
    end
  end

  defp element(stream, output, %{tagged: true}), do: {tag(stream), output}
  defp element(:data, output, _own), do: output

  defp tag(:data), do: :stdout
  defp tag(:error), do: :stderr

  defp ended!(_reason, exited, _stderr, server, _options, %{exit: :element}) when exited != nil do
    stop(server)
    {[exited], :ended}
  end

  defp ended!(:normal, _exited, _stderr, server, _options, _own), do: {:halt, server}

  defp ended!(reason, _exited, stderr, _server, options, _own),
    do: raise(CommandError, program: options.program, reason: reason, stderr: stderr)

  defp stop(:ended), do: :ok
  defp stop(server), do: StreamServer.stop(server)
end
