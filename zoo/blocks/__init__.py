"""What several families of the zoo are made of."""
