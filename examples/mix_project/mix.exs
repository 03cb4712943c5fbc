defmodule Throttle.MixProject do
  use Mix.Project

  def project do
    [
      app: :throttle,
      version: "0.1.0",
      elixir: "~> 1.14",
      compilers: Mix.compilers() ++ [:cmake],
      start_permanent: Mix.env() == :prod,
      deps: [{:penning, path: "../../elixir"}]
    ]
  end

  def application do
    [mod: {Throttle.Application, []}, extra_applications: [:logger]]
  end
end
