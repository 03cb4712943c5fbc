defmodule Penning.Calls do
  @moduledoc """
  Requests to what is behind a port, and who waits for which answer. For a process that waits for
  none of them itself.
  """

  alias Penning.{Connection, Protocol}

  defstruct next: 1, waiting: %{}

  @typedoc "`waiting` is who is to be answered, by the number in the request's Ref."
  @type t :: %__MODULE__{next: pos_integer, waiting: %{pos_integer => GenServer.from()}}

  @doc """
  Asks on behalf of `from`; the Ref is `{id, number}`, by which `Penning.Port` finds the process that
  stands for `id`. What no frame can hold is answered at once.
  """
  @spec ask(t, port, Protocol.id(), Protocol.request(), GenServer.from()) :: t
  def ask(%__MODULE__{} = calls, port, id, request, from) do
    {frame, asked} = request(calls, id, request, from)

    case Connection.write(port, frame) do
      {:error, _} = error ->
        GenServer.reply(from, error)
        calls

      # Of a closed port the process hears later, and answers then.
      _ok_or_closed ->
        asked
    end
  end

  @doc "The frame by which `ask/5` asks, for who writes it himself."
  @spec request(t, Protocol.id(), Protocol.request(), GenServer.from()) ::
          {Protocol.outgoing(), t}
  def request(%__MODULE__{next: next} = calls, id, request, from) do
    {{:request, {id, next}, request},
     %{calls | next: next + 1, waiting: Map.put(calls.waiting, next, from)}}
  end

  @doc "The answer to the request with this number."
  @spec answer(t, number :: term, term) :: t
  def answer(calls, number, reply) do
    {from, waiting} = Map.pop(calls.waiting, number)
    if from, do: GenServer.reply(from, reply)
    %{calls | waiting: waiting}
  end

  @doc "The same answer to all that still wait."
  @spec answer_all(t, term) :: t
  def answer_all(calls, reply) do
    Enum.each(calls.waiting, fn {_number, from} -> GenServer.reply(from, reply) end)
    %{calls | waiting: %{}}
  end
end
