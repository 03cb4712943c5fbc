defmodule Penning.Application do
  @moduledoc """
  Starts the `Penning.Port` of penningd.

  An application boots where penningd is not installed: it is looked for on first use.
  """

  use Application

  @impl true
  def start(_type, _args) do
    :ok = Penning.Telemetry.new()
    children = [{Penning.Port, name: Penning.Port}]
    Supervisor.start_link(children, strategy: :one_for_one, name: __MODULE__)
  end
end
