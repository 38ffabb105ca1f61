"""Reading and writing the project's file formats; pandas lives here, numpy inside."""
