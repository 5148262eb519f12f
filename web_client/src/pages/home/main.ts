import '../../shared/page'
