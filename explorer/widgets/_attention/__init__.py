"""Views of attention that the code tab and the traces tab share."""
