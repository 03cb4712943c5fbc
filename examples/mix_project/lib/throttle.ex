defmodule Throttle do
  @moduledoc """
  How often something may be done. The counting is done by C++ actors, see `Throttle.Application`.

      iex> Throttle.allow?(Throttle.Mail, "a@example.org")
      true
  """

  @typedoc "A limiter, or the id of one that the C++ supervisor `Throttle.Limiters` has."
  @type limiter :: GenServer.server() | :login | :search

  @doc "Whether `key`, any term, may do it once more in this period; counts it."
  @spec allow?(limiter, term) :: boolean
  def allow?(limiter, key), do: limiter |> server() |> GenServer.call({:allow, key})

  @doc "Forgets what `key` has done in this period."
  @spec reset(limiter, term) :: :ok
  def reset(limiter, key), do: limiter |> server() |> GenServer.cast({:reset, key})

  defp server(id) when id in [:login, :search] do
    [pid] = for {^id, pid, _, _} <- Supervisor.which_children(Throttle.Limiters), do: pid
    pid
  end

  defp server(limiter), do: limiter
end
