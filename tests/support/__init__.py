"""What tests of every folder share: the tools that they call, processes that they send signals to, how they are run."""
