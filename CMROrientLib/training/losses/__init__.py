"""What training lowers: of the classes, of the drawn ventricles, of level and direction."""
