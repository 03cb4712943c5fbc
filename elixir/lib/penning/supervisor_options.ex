defmodule Penning.SupervisorOptions do
  @moduledoc """
  The options of `Penning.Supervisor`, checked before anything is started. Pure, but for a
  look at the process that `:port` names.

      iex> Penning.SupervisorOptions.new!(max_restarts: 1).flags
      %{strategy: :one_for_one, intensity: 1, period: 5, auto_shutdown: :never}

      iex> Penning.SupervisorOptions.new!(max_seconds: 0)
      ** (ArgumentError) invalid option :max_seconds with value 0: expected an integer of 1 or more
  """

  @genserver [:name, :timeout, :debug, :spawn_opt, :hibernate_after]

  # Under these names the port program has them.
  @flags %{
    strategy: :strategy,
    max_restarts: :intensity,
    max_seconds: :period,
    auto_shutdown: :auto_shutdown
  }

  defstruct flags: %{strategy: :one_for_one, intensity: 3, period: 5, auto_shutdown: :never},
            output: nil,
            port: Penning.Port,
            genserver: []

  @typedoc "`flags` are the options as the port program wants them."
  @type t :: %__MODULE__{
          flags: map,
          output: Penning.ChildOutput.fun_of_output() | nil,
          port: GenServer.server(),
          genserver: keyword
        }

  @doc "Raises `ArgumentError`, naming option and value."
  @spec new!(term) :: t
  def new!(opts) do
    if not Keyword.keyword?(opts),
      do: raise(ArgumentError, "invalid options #{inspect(opts)}: expected a keyword list")

    {genserver, opts} = Keyword.split(opts, @genserver)
    Enum.reduce(opts, %__MODULE__{genserver: genserver}, &put!/2)
  end

  defp put!({name, value}, options) when is_map_key(@flags, name) do
    if text = problem(name, value), do: bad!(name, value, text)
    %{options | flags: Map.put(options.flags, @flags[name], value)}
  end

  defp put!({:output, fun}, options) do
    if is_function(fun, 3) or fun == nil,
      do: %{options | output: fun},
      else: bad!(:output, fun, "expected a function of three arguments")
  end

  defp put!({:port, port}, options),
    do: %{options | port: Penning.PortOption.check_local!(port)}

  defp put!({name, value}, _options),
    do: raise(ArgumentError, "unknown option #{inspect(name)} with value #{inspect(value)}")

  defp problem(:strategy, value) when value not in [:one_for_one, :one_for_all, :rest_for_one],
    do: "expected :one_for_one, :one_for_all or :rest_for_one"

  defp problem(:max_restarts, value) when not is_integer(value) or value < 0,
    do: "expected an integer of 0 or more"

  defp problem(:max_seconds, value) when not is_integer(value) or value < 1,
    do: "expected an integer of 1 or more"

  defp problem(:auto_shutdown, value)
       when value not in [:never, :any_significant, :all_significant],
       do: "expected :never, :any_significant or :all_significant"

  defp problem(_name, _value), do: nil

  defp bad!(name, value, text) do
    raise ArgumentError,
          "invalid option #{inspect(name)} with value #{inspect(value)}: #{text}"
  end
end
