"""Weights that others trained, into the networks of the zoo: Larq Zoo's HDF5 files, and authors' PyTorch checkpoints.

    from mobile_bnn import zoo

    model = zoo.load_weights("quicknet", "quicknet_weights.h5")

A file is read as data and nothing else (`checkpoints`), its arrays are matched with a network's by their names and
shapes (`matching`) as one of the known publications names them (`publications`), and only a file that fills the whole
network, and has nothing left over, is taken.
"""
