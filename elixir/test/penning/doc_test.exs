defmodule Penning.DocTest do
  # The examples in the documentation that need a port program.
  use ExUnit.Case, async: true

  doctest Penning
end
