"""The project: settings, servers, and where the apps are put together. Importing it imports nothing else."""
