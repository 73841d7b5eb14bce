"""What is behind the server: phrases and banks are made in processes that Ray runs. Only `replicas` imports ray."""
